//go:build race

package forward

// raceEnabled: measurements of memory and allocations mean nothing then.
const raceEnabled = true
