//go:build race

package http1

// raceEnabled: the race detector allocates, so tests that count allocations
// are pointless.
const raceEnabled = true
