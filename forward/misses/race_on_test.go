//go:build race

package misses

// raceEnabled: the race detector allocates, and has pools forget, so tests that count
// allocations are pointless.
const raceEnabled = true
