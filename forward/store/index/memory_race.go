//go:build race

package index

// slabLen: see memory.go. The race detector sees Go's heap alone, where memory is
// taken at once.
const slabLen = 64

func mapMemory(size int) ([]byte, error) { return make([]byte, size), nil }

func unmapMemory([]byte) {}
