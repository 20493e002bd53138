//go:build !race

package arena

import "golang.org/x/sys/unix"

// raceEnabled: see memory_race.go.
const raceEnabled = false

func allocate(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

func giveBack(b []byte) { unix.Madvise(b, unix.MADV_DONTNEED) }

func release(b []byte) { unix.Munmap(b) }
