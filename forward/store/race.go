//go:build race

package store

// raceEnabled: pages come from Go's heap, where the race detector sees them, and
// are poisoned when they are freed.
const raceEnabled = true
