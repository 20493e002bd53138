//go:build race

package wccp2_test

// underRace: the race detector makes everything ten times as slow; simulations
// run at a size that takes seconds all the same.
const underRace = true
