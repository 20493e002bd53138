package forward

import (
	"errors"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/hitmark"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// writer is a transaction's way to its client, which a prefetched one may use when its
// turn has come. A failure ends the connection.
type writer struct {
	cl       *client
	of       answer
	until    time.Time     // the end of client_lifetime
	patience time.Duration // how long a client may take nothing of a file
	// gate is closed when the answer before this one is out; nil when there is none.
	gate chan struct{}
	// taken is closed when this request has its connection, for the one behind it.
	taken chan struct{}
}

var errNoTurn = errors.New("the answer before this one ended the connection")

// waitTurn waits until the answer before this one is out. It is false when there will
// be no turn.
func (w *writer) waitTurn() bool {
	if w.gate == nil {
		return true
	}
	<-w.gate
	w.gate = nil
	return !w.cl.gone.Load()
}

// letNextBegin starts the prefetched request behind this one, if there is one that has
// not begun.
func (w *writer) letNextBegin() {
	if w.taken != nil {
		close(w.taken)
		w.taken = nil
	}
}

// answer is what a writer has to know of what it writes.
type answer interface {
	// markedBy says by what hits are marked, nil for none; tag and code are the log's
	// words about this answer.
	markedBy() (m *hitmark.Marks, tag, code string)
}

// mark marks the packets of hits (zph_mode). Every answer begins with something written
// here.
func (w *writer) mark() {
	if m, tag, code := w.of.markedBy(); m != nil || w.cl.mark != (hitmark.Socket{}) {
		w.cl.mark.Set(w.cl.c, m, tag, code)
	}
}

// Write implements reply.Client.
func (w *writer) Write(b []byte) (n int, err error) {
	if !w.waitTurn() {
		return 0, errNoTurn
	}
	cl := w.cl
	w.mark()
	cl.c.WriteUntil(w.until)
	if cl.turn != nil {
		n, err = cl.turn.Write(b)
	} else {
		n, err = cl.c.Write(b)
	}
	if err != nil {
		cl.gone.Store(true)
	}
	return n, err
}

// WritePieces implements reply.Client.
func (w *writer) WritePieces(list [][]byte) (n int64, err error) {
	if !w.waitTurn() {
		return 0, errNoTurn
	}
	cl := w.cl
	w.mark()
	cl.c.WriteUntil(w.until)
	if cl.turn != nil {
		n, err = cl.turn.WritePieces(list)
	} else {
		n, err = cl.c.WritePieces(list)
	}
	if err != nil {
		cl.gone.Store(true)
	}
	return n, err
}

// SendFile implements reply.Client.
func (w *writer) SendFile(fd int, offset, n int64) (sent int64, err error) {
	end := w.until
	if t := time.Now().Add(w.patience); t.Before(end) {
		end = t
	}
	w.cl.c.WriteUntil(end)
	sent, err = sock.SendFile(w.cl.c, fd, offset, n)
	if file := (*sock.FileError)(nil); err != nil && !errors.As(err, &file) {
		w.cl.gone.Store(true)
		err = reply.ErrClient
	}
	return sent, err
}

// Transfer implements reply.Client.
func (w *writer) Transfer(t *sock.Transfer) (n int64) {
	t.To = w.cl.c
	if n = t.Run(); t.WriteErr != nil {
		w.cl.gone.Store(true)
	}
	return n
}
