package store

import (
	"errors"
	"os"
	"syscall"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// swapOut is an entry on its way to disk. Its fields are guarded by the entry; a
// nil one writes nothing. One job at a time works on it.
type swapOut struct {
	d         *disk
	reserved  int64
	busy      bool // a job is queued or under way
	abandoned bool
	done      bool // the file is whole, or gone

	number ufs.Number
	file   *os.File
	start  int64 // where the head begins in the file
	body   int64 // where the body begins
	high   int64 // bytes of the body that are in the file
	until  int64 // and will be after what is being written
	readFD int   // for readers behind memory, -1 for none
}

// Writing begins when so many bytes wait or the object is complete; so many are
// written at once at most.
const (
	swapFrom  = 32 << 10
	swapPiece = 256 << 10
)

// newSwapOut announces a body of a length, -1 for unknown, to a directory.
func newSwapOut(d *disk, length int64) *swapOut {
	sw := &swapOut{d: d, readFD: -1, reserved: max(length, 0)}
	d.coming.Add(sw.reserved)
	return sw
}

// cancel takes back what was announced, where nothing comes of it.
func (sw *swapOut) cancel() {
	if sw != nil {
		sw.d.coming.Add(-sw.reserved)
	}
}

// writing reports whether bytes behind high are still needed for the file.
func (sw *swapOut) writing() bool { return sw != nil && !sw.done && !sw.abandoned }

// inUse is the byte of the body before which a job may be using pages.
func (sw *swapOut) inUse() int64 {
	if sw.busyNow() {
		return sw.until
	}
	return 0
}

// readable reports whether readers may use the file.
func (sw *swapOut) readable() bool { return sw != nil && sw.readFD >= 0 }

// inFile is how many bytes of the body readers find there.
func (sw *swapOut) inFile() int64 {
	if sw.readable() {
		return sw.high
	}
	return 0
}

// busyNow reports whether a job may still use the entry's pages.
func (sw *swapOut) busyNow() bool { return sw != nil && sw.busy }

// closeRead closes the readers' descriptor.
func (sw *swapOut) closeRead() {
	if sw.readable() {
		syscall.Close(sw.readFD)
		sw.readFD = -1
	}
}

// pushSwap queues a job when there is enough to write.
func (e *Entry) pushSwap() {
	sw := e.swap
	if sw == nil || sw.busy || sw.abandoned || sw.done {
		return
	}
	if e.phase != complete && e.size-sw.high < swapFrom {
		return
	}
	sw.busy = true
	if !e.s.work.write(func() { e.swapJob(sw) }) {
		sw.busy = false
		e.s.stats.queueFull.Add(1)
		e.dropSwap()
	}
}

// dropSwap gives up the disk; what is wholly in memory stays there.
func (e *Entry) dropSwap() {
	e.abandonSwap()
	if !e.whole {
		e.unkeep()
	}
}

// abandonSwap ends the writing. A job under way sees to the file, otherwise the
// janitor does.
func (e *Entry) abandonSwap() {
	sw := e.swap
	if sw == nil || sw.abandoned || sw.done {
		return
	}
	sw.abandoned = true
	if !sw.busy {
		e.endSwap(sw)
	}
}

// endSwap gives back what the swap-out has; the file goes.
func (e *Entry) endSwap(sw *swapOut) {
	sw.done = true
	sw.d.coming.Add(-sw.reserved)
	if sw.file != nil {
		sw.file.Close()
		sw.file = nil
		sw.d.closed(e.s)
		e.s.disks.unlink(sw.d.slot, sw.number)
	}
}

// swapJob writes what there is.
func (e *Entry) swapJob(sw *swapOut) {
	for {
		e.mu.Lock()
		if sw.abandoned || e.obsolete || e.phase == aborted {
			e.endJob(sw)
			return
		}
		to := min(e.size, sw.high+swapPiece)
		pieces := e.gather(nil, sw.high, to)
		sw.until = to
		open := sw.file == nil
		var head []byte
		if open {
			head, _ = e.s.headOf(e.s.objectAt(e.first), nil)
			head = append([]byte(nil), head...)
		}
		e.mu.Unlock()
		if err := e.writePieces(sw, open, head, pieces); err != nil {
			e.s.diskError(sw.d, err)
			e.mu.Lock()
			failed := e.event(SwapOutFailed)
			failed.Dir, failed.Number = sw.d.slot, sw.number
			line := e.s.log(failed)
			sw.abandoned = true
			e.endJob(sw)
			waitFor(line)
			return
		}
		if !e.wrote(sw, to) {
			return
		}
	}
}

// writePieces makes the file, if that is to be done, and writes. Nothing is locked;
// the pages are kept because the job is busy.
func (e *Entry) writePieces(sw *swapOut, open bool, head []byte, pieces [][]byte) error {
	if open {
		if err := e.createFile(sw, head); err != nil {
			return err
		}
	}
	return writeAll(sw.file, pieces, sw.body+sw.high)
}

func (e *Entry) createFile(sw *swapOut, head []byte) error {
	number, err := sw.d.dir.Allocate()
	if err != nil {
		return err
	}
	meta := ufs.Meta{Key: ufs.Key(e.key), Times: timesOf(&e.metadata), RefCount: 1, Flags: uint16(e.metadata.Flags | stored),
		URL: e.opening.URL, StoreURL: e.opening.StoreURL, VaryHeaders: e.vary, ObjectSize: -1}
	if e.announced >= 0 {
		meta.ObjectSize = e.announced + int64(len(head))
	}
	file, start, err := sw.d.dir.Create(number, &meta)
	if err != nil {
		if !errors.Is(err, ufs.ErrFile) {
			e.s.disks.unlink(sw.d.slot, number)
		}
		return err
	}
	sw.d.opened(e.s)
	if err := writeAll(file, [][]byte{head}, start); err != nil {
		file.Close()
		sw.d.closed(e.s)
		e.s.disks.unlink(sw.d.slot, number)
		return err
	}
	e.mu.Lock()
	sw.number, sw.file, sw.start, sw.body = number, file, start, start+int64(len(head))
	e.mu.Unlock()
	return nil
}

// wrote notes what is in the file now. It reports whether the job goes on.
func (e *Entry) wrote(sw *swapOut, to int64) (more bool) {
	e.mu.Lock()
	sw.high = to
	if !e.whole && sw.readFD < 0 {
		if fd, err := syscall.Dup(int(sw.file.Fd())); err == nil {
			syscall.CloseOnExec(fd)
			sw.readFD = fd
		}
	}
	e.trim()
	e.wakeWriter()
	if e.phase == complete && to == e.size && !sw.abandoned && !e.obsolete {
		e.mu.Unlock()
		e.commit(sw)
		return false
	}
	if e.phase == streaming && e.size-to < swapFrom && !sw.abandoned && !e.obsolete {
		sw.busy = false
		e.mu.Unlock()
		return false
	}
	e.mu.Unlock()
	return true
}

// endJob ends a job whose file is not wanted; the entry is locked, and unlocked
// here.
func (e *Entry) endJob(sw *swapOut) {
	e.endSwap(sw)
	sw.busy = false
	if !e.whole {
		e.unkeep()
	}
	over := e.phase >= complete
	e.trim()
	e.wakeWriter()
	e.mu.Unlock()
	if over {
		e.settle(nil)
		e.freeIfLast()
	}
}

// commit ends a file that is whole.
func (e *Entry) commit(sw *swapOut) {
	var err error
	if e.announced < 0 {
		err = ufs.Seal(sw.file, sw.body+sw.high)
	}
	if shut := sw.file.Close(); err == nil {
		err = shut
	}
	sw.d.closed(e.s)
	if err != nil {
		e.s.diskError(sw.d, err)
		e.s.disks.unlink(sw.d.slot, sw.number)
	}
	e.mu.Lock()
	sw.file, sw.done = nil, true
	sw.d.coming.Add(-sw.reserved)
	e.mu.Unlock()
	if err != nil {
		e.settle(nil)
	} else {
		e.settle(sw)
	}
	e.mu.Lock()
	sw.busy = false
	e.mu.Unlock()
	e.freeIfLast()
}

// stored are flags every object in the index has.
const stored = Cachable | Dispatched | Validated

func timesOf(f *Metadata) ufs.Times {
	return ufs.Times{Timestamp: f.Timestamp.Unix(), LastRef: f.LastRef.Unix(), Expires: f.Expires.Unix(), LastMod: f.LastMod.Unix()}
}
