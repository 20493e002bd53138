//go:build !race

package arena

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// raceEnabled: see memory_race.go.
const raceEnabled = false

func allocate(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

// populate has the kernel put memory behind b. Where it cannot (before Linux 5.14, or
// for want of memory) each page gets its own when it is written to.
//
// The scheduler is told nothing of the call, as it is not of a page fault. It takes longer
// than the 20 us after which the runtime's monitor gives a processor to another thread; a
// monitor that finds one to take looks again after 20 us, for as long as memory fills, and
// that costs more than the pages.
func populate(b []byte) {
	unix.RawSyscall(unix.SYS_MADVISE, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MADV_POPULATE_WRITE)
}

func giveBack(b []byte) { unix.Madvise(b, unix.MADV_DONTNEED) }

func release(b []byte) { unix.Munmap(b) }
