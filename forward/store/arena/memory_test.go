//go:build !race

package arena

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Memory comes for a run of pages at once.
func TestMemoryComesInRuns(t *testing.T) {
	a := New(chunkBytes)
	defer a.Close()
	for {
		p, ok := a.Alloc()
		if !ok {
			t.Fatal("no page")
		}
		if p == 2*populated {
			break
		}
	}
	probe, err := allocate(PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer release(probe)
	if unix.Madvise(probe, unix.MADV_POPULATE_WRITE) == unix.EINVAL {
		t.Skip("not before Linux 5.14")
	}
	var there [populated]byte
	run := a.run(2 * populated)
	if _, _, err := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&run[0])), uintptr(len(run)), uintptr(unsafe.Pointer(&there))); err != 0 {
		t.Fatal(err)
	}
	for i, b := range there {
		if b&1 == 0 {
			t.Errorf("page %d of the run has no memory", i)
		}
	}
}
