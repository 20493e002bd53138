package forward

import (
	"errors"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

var errNoTurn = errors.New("the answer before this one ended the connection")

// Write implements reply.Client. A failure ends the connection.
func (x *transaction) Write(b []byte) (n int, err error) {
	if x.beside.gate != nil && !x.waitTurn() {
		return 0, errNoTurn
	}
	cl := x.cl
	cl.c.WriteUntil(x.p.lifetime(x.now))
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
func (x *transaction) WritePieces(list [][]byte) (n int64, err error) {
	if x.beside.gate != nil && !x.waitTurn() {
		return 0, errNoTurn
	}
	cl := x.cl
	cl.c.WriteUntil(x.p.lifetime(x.now))
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
func (x *transaction) SendFile(fd int, offset, n int64) (sent int64, err error) {
	end := x.p.lifetime(x.now)
	if t := time.Now().Add(x.p.cfg.ReadTimeout); t.Before(end) {
		end = t
	}
	x.cl.c.WriteUntil(end)
	sent, err = sock.SendFile(x.cl.c, fd, offset, n)
	if file := (*sock.FileError)(nil); err != nil && !errors.As(err, &file) {
		x.cl.gone.Store(true)
		err = reply.ErrClient
	}
	return sent, err
}

// Transfer implements reply.Client.
func (x *transaction) Transfer(t *sock.Transfer) (n int64) {
	t.To = x.cl.c
	if n = t.Run(); t.WriteErr != nil {
		x.cl.gone.Store(true)
	}
	return n
}
