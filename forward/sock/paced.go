package sock

import (
	"io"

	"golang.org/x/sys/unix"
)

// Pacer says how fast bytes may pass. One goroutine uses it.
type Pacer interface {
	// Ask is how many bytes may be read now, most at most. When it is 0, Wait comes
	// first.
	Ask(most int) int
	// Pay counts n bytes that were read and reports whether they may go on now. If not,
	// Wait comes first.
	Pay(n int) (now bool)
	// Wait waits; the error says that the transfer is over.
	Wait() error
}

// runPaced is Run with a Pacer: by copies, with no buffer while there is nothing to
// read.
func (t *Transfer) runPaced() (total int64) {
	for t.Left != 0 {
		most := t.Pace.Ask(pacedPiece)
		if most == 0 {
			if t.WriteErr = t.Pace.Wait(); t.WriteErr != nil {
				return total
			}
			t.renew()
			continue
		}
		if t.Left > 0 {
			most = int(min(int64(most), t.Left))
		}
		if !t.movePiece(most, &total) {
			return total
		}
	}
	return total
}

// pacedPiece is the most that passes at a time, in bytes.
const pacedPiece = 16 << 10

// movePiece moves up to so many bytes; false ends the transfer.
func (t *Transfer) movePiece(most int, total *int64) (goesOn bool) {
	buf, n, err := t.readPiece(most)
	defer copyBuffers.Put(buf)
	if n > 0 {
		if !t.Pace.Pay(n) {
			t.WriteErr = t.Pace.Wait()
			t.renew() // the wait was none of the other side's
		}
		if t.WriteErr == nil {
			var m int
			m, t.WriteErr = t.To.Write((*buf)[:n])
			t.moved(m, total)
		}
	}
	switch {
	case t.WriteErr != nil:
		return false
	case err == io.EOF:
		t.ended()
		return false
	case err != nil:
		t.ReadErr = err
		return false
	}
	return true
}

// readPiece waits for up to so many bytes.
func (t *Transfer) readPiece(most int) (buf *[]byte, n int, err error) {
	if t.from == nil {
		buf = copyBuffers.Get().(*[]byte)
		n, err = t.From.Read((*buf)[:most])
		return buf, n, err
	}
	for {
		wait := t.from.raw.Read(func(fd uintptr) bool {
			buf = copyBuffers.Get().(*[]byte)
			if n, err = readNow(int(fd), (*buf)[:most]); err == unix.EAGAIN {
				copyBuffers.Put(buf)
				return false
			}
			return true
		})
		if wait == nil {
			return buf, n, err
		}
		if again, over := t.from.overReading(wait); !again {
			return copyBuffers.Get().(*[]byte), 0, over
		}
	}
}
