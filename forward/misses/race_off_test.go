//go:build !race

package misses

const raceEnabled = false
