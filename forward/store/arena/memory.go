//go:build !race

package arena

import "golang.org/x/sys/unix"

// raceEnabled: see memory_race.go.
const raceEnabled = false

func allocate(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

// populate has the kernel put memory behind b. Where it cannot (before Linux 5.14, or
// for want of memory) each page gets its own when it is written to.
func populate(b []byte) { unix.Madvise(b, unix.MADV_POPULATE_WRITE) }

func giveBack(b []byte) { unix.Madvise(b, unix.MADV_DONTNEED) }

func release(b []byte) { unix.Munmap(b) }
