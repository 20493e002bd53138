package reply

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

var errGone = errors.New("gone")

// sink is a client that keeps what it is sent, until it has had enough.
type sink struct {
	got    bytes.Buffer
	writes int
	enough int // bytes after which it is gone; 0 for never
	file   []byte
	moved  []byte // what Transfer brings
}

func (s *sink) Write(b []byte) (int, error) {
	s.writes++
	if s.enough > 0 && s.got.Len()+len(b) > s.enough {
		n, _ := s.got.Write(b[:s.enough-s.got.Len()])
		return n, errGone
	}
	return s.got.Write(b)
}

func (s *sink) WritePieces(list [][]byte) (int64, error) {
	n, err := s.Write(bytes.Join(list, nil))
	return int64(n), err
}

func (s *sink) SendFile(_ int, offset, n int64) (int64, error) {
	have := s.file[min(offset, int64(len(s.file))):]
	if int64(len(have)) < n {
		s.got.Write(have)
		return int64(len(have)), &sock.FileError{Err: io.ErrUnexpectedEOF}
	}
	m, err := s.Write(have[:n])
	return int64(m), err
}

func (s *sink) Transfer(t *sock.Transfer) int64 {
	s.got.Write(s.moved)
	if t.Left > int64(len(s.moved)) {
		t.ReadErr = io.EOF
	}
	return int64(len(s.moved))
}

// script is a Body that gives pieces as they come: those with wait set come only to
// who waits for them.
type script struct {
	client  *sink
	pieces  []piece
	end     error
	unsent  func() int // bytes that are put together and not sent
	waiting int        // bytes unsent when it was waited for
}

type piece struct {
	text string
	wait bool
}

func (s *script) Next(most int, wait bool) ([]byte, error) {
	if wait {
		s.waiting += s.unsent()
	}
	if len(s.pieces) == 0 {
		return nil, s.end
	}
	p := &s.pieces[0]
	if p.wait && !wait {
		return nil, nil
	}
	text := p.text[:min(most, len(p.text))]
	if p.text, p.wait = p.text[len(text):], false; p.text == "" {
		s.pieces = s.pieces[1:]
	}
	return []byte(text), nil
}

// text is all of the body.
func (s *script) text() (all string) {
	for _, p := range s.pieces {
		all += p.text
	}
	return all
}

// to makes a reply on its way to a client.
func to(s *sink, hop Hop) *Reply {
	r := new(Reply)
	r.Init()
	r.Reset()
	cfg := new(conf.Config)
	cfg.ClientPersistentConnections, cfg.Via, cfg.ReadTimeout = true, true, time.Minute
	r.Policy = &Policy{Config: cfg, HeaderAccess: new(acl.FieldPolicy), ViaName: " p:1 (squid)", LookupName: " from p:1", CacheName: " from p", Dates: new(http1.DateCache)}
	r.To, r.Hop, r.Ctx, r.Facts = s, hop, context.Background(), new(acl.Facts)
	r.Status, r.Keep, r.Lookup = 200, true, "MISS"
	return r
}

// headAndBody takes apart what a client got.
func headAndBody(s *sink) (head, body string) {
	h, b, _ := bytes.Cut(s.got.Bytes(), []byte("\r\n\r\n"))
	return string(h), string(b)
}
