//go:build race

package freshness

// raceEnabled: the race detector allocates, so tests that count allocations
// are pointless.
const raceEnabled = true
