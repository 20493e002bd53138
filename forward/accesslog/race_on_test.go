//go:build race

package accesslog

// raceEnabled: the race detector allocates, so tests that count allocations
// are pointless.
const raceEnabled = true
