package sock

import (
	"io"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// SpliceFrom is the rest of a body, in bytes, from which on splice(2) is cheaper
// than a copy through a 64 KB buffer: BenchmarkRelay shows them equal up to here,
// and splice a fifth cheaper at twice the size.
const SpliceFrom = 64 << 10

// Transfer moves bytes from one stream to another: by splice(2) where both are
// bare sockets.
type Transfer struct {
	From, To Stream
	// Left is how many bytes are to be moved; negative means until From ends.
	Left int64
	// Patience is how long the transfer may make no progress in either
	// direction; 0 means for ever. Until, when set, ends it in any case.
	Patience time.Duration
	Until    time.Time
	// Rest, when set, is how long From may be silent before Run returns with
	// ErrTimeout; Run can go on after that.
	Rest time.Duration
	// Small is the number of bytes up to which the transfer copies: a pipe is
	// worth its system calls only for what is longer.
	Small int64
	// Moved is called with the bytes of each step that reached To. It may be nil.
	Moved func(n int)
	// Pace slows the transfer down; nil for as fast as it goes.
	Pace Pacer

	// ReadErr and WriteErr say which side failed; both are nil when the
	// transfer is complete. ReadErr is io.EOF when From ended before Left bytes
	// had come, and nil when it ended and Left was negative.
	ReadErr, WriteErr error

	stepped  int64  // was moved by Steps
	rest     []byte // was read by a Step and is still to be written
	from, to *Conn  // what From and To are underneath
	pipe     *pipe
	inPipe   int
}

// Run moves the bytes and returns how many reached To. A pipe is held only while
// there is something in it.
func (t *Transfer) Run() (total int64) {
	t.renew()
	t.from, t.to = t.From.Bare(), t.To.Bare()
	if len(t.rest) > 0 && !t.writeRest(&total) {
		return total
	}
	if t.Pace != nil {
		return t.runPaced()
	}
	if t.from == nil || t.to == nil {
		t.copyThrough(&total)
		return total
	}
	for {
		err := t.from.raw.Read(func(fd uintptr) bool { return t.readable(int(fd), &total) })
		if err == nil {
			break
		}
		again, over := t.from.overReading(err)
		if !again {
			t.ReadErr = over
			break
		}
	}
	if t.pipe != nil {
		if t.inPipe > 0 {
			dropPipe(t.pipe)
		} else {
			putPipe(t.pipe)
		}
		t.pipe = nil
	}
	return total
}

// readable runs inside RawConn.Read: true ends the transfer, false waits for
// the source.
func (t *Transfer) readable(fd int, total *int64) (done bool) {
	for t.Left != 0 {
		if t.pipe == nil {
			if t.Left > 0 && t.Left <= t.Small || t.Left < 0 && *total < t.Small {
				if done, more := t.copySome(fd, total); !more {
					return done
				}
				continue
			}
			if t.pipe = takePipe(); t.pipe == nil {
				return t.copy(fd, total)
			}
		}
		want := t.pipe.size
		if t.Left > 0 && int64(want) > t.Left {
			want = int(t.Left)
		}
		n, err := unix.Splice(fd, nil, t.pipe.w, nil, want, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err == unix.EINTR {
			continue
		}
		if err == unix.EAGAIN {
			putPipe(t.pipe)
			t.pipe = nil
			return false
		}
		if err != nil {
			t.ReadErr = err
			return true
		}
		if n == 0 {
			return t.ended()
		}
		t.inPipe = int(n)
		if !t.drain(total) {
			return true
		}
	}
	return true
}

// drain empties the pipe into the destination.
func (t *Transfer) drain(total *int64) bool {
	for t.inPipe > 0 {
		var n int64
		var err error
		wait := t.to.raw.Write(func(fd uintptr) bool {
			n, err = unix.Splice(t.pipe.r, nil, int(fd), nil, t.inPipe, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
			return err != unix.EAGAIN
		})
		switch {
		case wait != nil:
			again, over := t.to.overWriting(wait)
			if !again {
				t.WriteErr = over
				return false
			}
		case err == unix.EINTR:
		case err != nil:
			t.WriteErr = err
			return false
		case n == 0:
			t.WriteErr = io.ErrShortWrite
			return false
		default:
			t.inPipe -= int(n)
			t.moved(int(n), total)
		}
	}
	return true
}

// copyBuffers hold the bytes of transfers that got no pipe.
var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// copyThrough moves the bytes of a stream that is no bare socket, or to one.
func (t *Transfer) copyThrough(total *int64) {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	for t.Left != 0 {
		p := *buf
		if t.Left > 0 && int64(len(p)) > t.Left {
			p = p[:t.Left]
		}
		n, err := t.From.Read(p)
		if n > 0 {
			m, err := t.To.Write(p[:n])
			t.moved(m, total)
			if t.WriteErr = err; err != nil {
				return
			}
		}
		switch {
		case err == io.EOF:
			t.ended()
			return
		case err != nil:
			t.ReadErr = err
			return
		}
	}
}

// copy is readable without a pipe.
func (t *Transfer) copy(fd int, total *int64) (done bool) {
	for t.Left != 0 {
		if done, more := t.copySome(fd, total); !more {
			return done
		}
	}
	return true
}

// copySome moves one bufferful. more is false when the source has to be waited
// for or the transfer is over; done then says which.
func (t *Transfer) copySome(fd int, total *int64) (done, more bool) {
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	p := *buf
	if t.Left > 0 && int64(len(p)) > t.Left {
		p = p[:t.Left]
	}
	n, err := readNow(fd, p)
	switch {
	case err == unix.EAGAIN:
		return false, false
	case err == io.EOF:
		return t.ended(), false
	case err != nil:
		t.ReadErr = err
		return true, false
	}
	m, err := t.To.Write(p[:n])
	t.moved(m, total)
	if err != nil {
		t.WriteErr = err
		return true, false
	}
	if d := t.from.own; d != nil && d.drained(n == len(p)) {
		return false, false
	}
	return true, true
}

// Complete reports whether From ended of its own accord and all of it reached To.
func (t *Transfer) Complete() bool { return t.ReadErr == nil && t.WriteErr == nil }

func (t *Transfer) ended() (done bool) {
	if t.Left > 0 {
		t.ReadErr = io.EOF
	}
	t.Left = 0
	return true
}

// moved counts progress and renews both sides' deadlines.
func (t *Transfer) moved(n int, total *int64) {
	*total += int64(n)
	if t.Left > 0 {
		t.Left -= int64(n)
	}
	if t.Moved != nil {
		t.Moved(n)
	}
	t.renew()
}

func (t *Transfer) renew() {
	if t.Patience == 0 && t.Until.IsZero() && t.Rest == 0 {
		return
	}
	now := time.Now()
	at := t.Until
	if t.Patience > 0 {
		if p := now.Add(t.Patience); at.IsZero() || p.Before(at) {
			at = p
		}
	}
	t.To.WriteUntil(at)
	if t.Rest > 0 {
		if r := now.Add(t.Rest); at.IsZero() || r.Before(at) {
			at = r
		}
	}
	t.From.ReadUntil(at)
}
