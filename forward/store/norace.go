//go:build !race

package store

// raceEnabled: see race.go.
const raceEnabled = false
