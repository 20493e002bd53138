package dns

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	mathrand "math/rand/v2"
)

// Bounds of the sockets towards one server. As long as fewer questions are under way
// each has a socket, and so a port, of its own; more of them share sockets, at random,
// so that names nobody answers cost memory and no descriptors. A socket that has
// carried questionsPerSocket takes no more: no port serves for long.
const (
	maxSockets         = 32 // that take questions
	maxRetired         = 32 // that wait for their last answers
	questionsPerSocket = 64
)

// errNoAnswer ends a question whose time is over.
var errNoAnswer = errors.New("no answer")

// sockets are the UDP sockets towards one server. They are connected to it: the
// kernel picks a random source port, and drops what comes from anyone else.
type sockets struct {
	dial func(ctx context.Context) (net.Conn, error)

	mu      sync.Mutex
	open    []*socket
	opening int
	retired int
}

// socket is one of them, open as long as a question waits at it.
type socket struct {
	conn    net.Conn
	waiting map[uint16]*waiting // by id
	asked   int
	retired bool
	closed  bool
}

// waiting is a question that was put, or is about to be.
type waiting struct {
	question
	outcome chan outcome // buffered
}

type outcome struct {
	reply
	err error
}

// ask puts a question and waits for the answer until ctx ends.
func (s *sockets) ask(ctx context.Context, q question) (reply, error) {
	msg, err := appendQuestion(make([]byte, 0, 300), 0, q)
	if err != nil {
		return reply{}, fmt.Errorf("writing the question for %s: %w", q.name, err)
	}
	w := &waiting{q, make(chan outcome, 1)}
	sock, id, err := s.enter(ctx, w)
	if err != nil {
		return reply{}, err
	}
	defer s.leave(sock, id, w)
	binary.BigEndian.PutUint16(msg, id)
	if _, err := sock.conn.Write(msg); err != nil {
		return reply{}, err
	}
	select {
	case o := <-w.outcome:
		return o.reply, o.err
	case <-ctx.Done():
		return reply{}, errNoAnswer
	}
}

// enter finds a socket for a question, and an id that is free there.
func (s *sockets) enter(ctx context.Context, w *waiting) (*socket, uint16, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed error
	if len(s.open)+s.opening < maxSockets {
		if failed = s.another(ctx); failed != nil && len(s.open) == 0 {
			return nil, 0, failed
		}
	}
	if len(s.open) == 0 { // all are being opened just now
		if err := s.another(ctx); err != nil {
			return nil, 0, err
		}
	}
	sock := s.open[len(s.open)-1] // a new one, with nobody else
	if len(sock.waiting) > 0 {
		sock = s.open[mathrand.IntN(len(s.open))]
	}
	id := randomID()
	for sock.waiting[id] != nil {
		id = randomID()
	}
	sock.waiting[id] = w
	if sock.asked++; sock.asked >= questionsPerSocket && s.retired < maxRetired {
		s.retire(sock)
	}
	return sock, id, nil
}

// another opens a socket. The caller holds s.mu, which is put down meanwhile.
func (s *sockets) another(ctx context.Context) error {
	s.opening++
	s.mu.Unlock()
	conn, err := s.dial(ctx)
	s.mu.Lock()
	s.opening--
	if err != nil {
		return err
	}
	sock := &socket{conn: conn, waiting: map[uint16]*waiting{}}
	s.open = append(s.open, sock)
	go s.read(sock)
	return nil
}

// retire takes a socket out of use for new questions.
func (s *sockets) retire(sock *socket) {
	s.open = slices.DeleteFunc(s.open, func(have *socket) bool { return have == sock })
	sock.retired = true
	s.retired++
}

// leave ends a question, and with the last one its socket.
func (s *sockets) leave(sock *socket, id uint16, w *waiting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sock.waiting[id] == w {
		delete(sock.waiting, id)
	}
	if len(sock.waiting) == 0 {
		s.close(sock)
	}
}

// close takes a socket away. The caller holds s.mu.
func (s *sockets) close(sock *socket) {
	if sock.closed {
		return
	}
	sock.closed = true
	if sock.retired {
		s.retired--
	} else {
		s.open = slices.DeleteFunc(s.open, func(have *socket) bool { return have == sock })
	}
	sock.conn.Close()
}

// read hands answers to those who wait for them, until the socket is closed or
// fails: the server's host may say that nobody listens.
func (s *sockets) read(sock *socket) {
	buf := make([]byte, udpMessage)
	for {
		n, err := sock.conn.Read(buf)
		if err != nil {
			s.fail(sock, err)
			return
		}
		if n < 2 {
			continue
		}
		id := binary.BigEndian.Uint16(buf)
		s.mu.Lock()
		w := sock.waiting[id]
		s.mu.Unlock()
		if w == nil {
			continue
		}
		// Forged, late or damaged: the true answer may still come. Whoever floods
		// us with these only uses up the time of this attempt.
		r, err := parseReply(buf[:n], id, w.question)
		if err != nil {
			continue
		}
		s.mu.Lock()
		if sock.waiting[id] == w {
			delete(sock.waiting, id)
			w.outcome <- outcome{r, nil}
		}
		s.mu.Unlock()
	}
}

// fail ends the questions of a socket that cannot be read any more.
func (s *sockets) fail(sock *socket, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(sock)
	for id, w := range sock.waiting {
		delete(sock.waiting, id)
		w.outcome <- outcome{err: err}
	}
}

// randomID is an id nobody can foretell.
func randomID() uint16 {
	var b [2]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint16(b[:])
}
