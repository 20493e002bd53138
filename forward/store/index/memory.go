//go:build !race

package index

import "golang.org/x/sys/unix"

// slabLen is how many records lie in a piece of memory. They take none before they
// are used.
const slabLen = 1024

func mapMemory(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

func unmapMemory(b []byte) { unix.Munmap(b) }
