//go:build !race

package wccp2_test

const underRace = false
