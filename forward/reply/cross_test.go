package reply

import (
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"pgregory.net/rapid"
)

// Whatever pieces a body comes in, the client gets its bytes, framed as it can take
// them, nothing is held back while the body is waited for, and one that is cut does
// not look complete.
func TestBodyCrosses(t *testing.T) {
	errCut := errors.New("cut")
	rapid.Check(t, func(t *rapid.T) {
		client := new(sink)
		hop := Hop{Method: http1.GET, HTTP11: true, Client11: rapid.Bool().Draw(t, "1.1")}
		r := to(client, hop)
		b := &script{client: client, end: rapid.SampledFrom([]error{io.EOF, errCut}).Draw(t, "end"), unsent: func() int { return len(r.out) }}
		for range rapid.IntRange(0, 8).Draw(t, "pieces") {
			n := rapid.SampledFrom([]int{1, 10, bodyPiece, gathered - 1, gathered, 3 * gathered}).Draw(t, "size")
			b.pieces = append(b.pieces, piece{strings.Repeat("x", n), rapid.Bool().Draw(t, "wait")})
		}
		text := b.text()
		framing := http1.Body{Framing: rapid.SampledFrom([]http1.Framing{http1.ByLength, http1.ByChunks, http1.UntilClose}).Draw(t, "framing")}
		if framing.Framing == http1.ByLength {
			framing.Length = int64(len(text))
			r.Fields.AddInt(http1.ContentLength, framing.Length)
		}
		framed := r.Frame(framing, 0, 100)
		if framed != (framing.Framing == http1.ByLength || hop.Client11) {
			t.Fatalf("framed: %v", framed)
		}
		r.Finish(Adding{Via: none, Framed: framed})
		err := r.Send(b)
		head, body := headAndBody(client)
		chunked := strings.Contains(head, "Transfer-Encoding: chunked")
		if chunked != (framing.Framing != http1.ByLength && hop.Client11) {
			t.Fatalf("chunked: %v", chunked)
		}
		var end error
		if chunked {
			var got []byte
			got, end = io.ReadAll(httputil.NewChunkedReader(strings.NewReader(body)))
			body = string(got)
		}
		switch {
		case body != text, b.waiting > 0, r.Sent != int64(client.got.Len()):
			t.Fatalf("%d of %d bytes, %d held back, %d counted of %d", len(body), len(text), b.waiting, r.Sent, client.got.Len())
		case b.end == io.EOF && (err != nil || end != nil || r.Keep != framed):
			t.Fatalf("%v, %v, keep %v", err, end, r.Keep)
		case b.end == errCut && (err != errCut || r.Keep || chunked && end == nil):
			t.Fatalf("cut: %v, %v, keep %v", err, end, r.Keep)
		}
	})
}

// A client that goes in the middle ends the reply, wherever that is.
func TestClientGoes(t *testing.T) {
	for enough := 1; enough < 60000; enough += 997 {
		for _, client11 := range []bool{false, true} {
			client := &sink{enough: enough}
			r := to(client, Hop{Method: http1.GET, HTTP11: true, Client11: client11})
			r.Finish(Adding{Via: none, Framed: r.Frame(http1.Body{Framing: http1.ByChunks}, 0, 100)})
			b := &script{client: client, end: io.EOF, unsent: func() int { return 0 }}
			for range 20 {
				b.pieces = append(b.pieces, piece{strings.Repeat("x", 5000), true})
			}
			if err := r.Send(b); err != ErrClient || r.Keep || r.Sent != int64(enough) {
				t.Fatalf("after %d: %v, %d, keep %v", enough, err, r.Sent, r.Keep)
			}
		}
	}
}

// spans is a body in memory or in a file.
type spans struct {
	text   []byte
	file   bool
	pieces int // in a span
	at     int64
}

func (s *spans) Span(most int64) Span {
	n := min(most, int64(len(s.text)))
	if s.file {
		return Span{Length: n, Offset: s.at}
	}
	span := Span{Length: n}
	for rest, size := s.text[:n], int(n)/s.pieces+1; len(rest) > 0; {
		m := min(size, len(rest))
		span.Pieces, rest = append(span.Pieces, rest[:m]), rest[m:]
	}
	return span
}

func (s *spans) Advance(n int64) { s.text, s.at = s.text[n:], s.at+n }

func (s *spans) Next(most int, _ bool) ([]byte, error) {
	if len(s.text) == 0 {
		return nil, io.EOF
	}
	piece := s.text[:min(most, len(s.text))]
	s.text = s.text[len(piece):]
	return piece, nil
}

// What lies in memory or in a file goes out without being copied when it is long,
// with the head when it is in memory, and arrives the same.
func TestSpans(t *testing.T) {
	for _, size := range []int{0, 1, gathered - 100, gathered, gathered + 1, 100000, 3*longSpan + 5} {
		for _, file := range []bool{false, true} {
			text := make([]byte, size)
			for i := range text {
				text[i] = byte('a' + i%23)
			}
			client := &sink{file: text}
			r := to(client, Hop{Method: http1.GET})
			r.Fields.AddInt(http1.ContentLength, int64(size))
			r.Finish(Adding{Via: none, Framed: r.Frame(http1.Body{Framing: http1.ByLength, Length: int64(size)}, 0, 0)})
			err := r.Send(&spans{text: text, file: file, pieces: 3})
			_, body := headAndBody(client)
			if err != nil || body != string(text) || !r.Keep || r.Sent != int64(client.got.Len()) {
				t.Errorf("%d bytes, file %v: %v, %d came, %d counted", size, file, err, len(body), r.Sent)
			}
			most := size/longSpan + 1
			if file {
				most += 2
			}
			if client.writes > most {
				t.Errorf("%d bytes, file %v: %d writes", size, file, client.writes)
			}
		}
	}
}

// A file that turns out too short, and a client that goes: neither looks complete.
func TestSpansFail(t *testing.T) {
	text := make([]byte, 1<<20)
	r := to(&sink{file: text[:1000]}, Hop{Method: http1.GET})
	var short *sock.FileError
	if err := r.Send(&spans{text: text, file: true}); !errors.As(err, &short) || r.Keep || r.Sent != 1000 {
		t.Errorf("short file: %v, %d, keep %v", err, r.Sent, r.Keep)
	}
	r = to(&sink{enough: 70000}, Hop{Method: http1.GET})
	if err := r.Send(&spans{text: text, pieces: 4}); err != ErrClient || r.Keep || r.Sent != 70000 {
		t.Errorf("client: %v, %d, keep %v", err, r.Sent, r.Keep)
	}
}

// behindSocket is a body that has a socket.
type behindSocket struct {
	Made
	left  int64
	asked bool
	moved int64
}

func (b *behindSocket) Socket() (sock.Stream, int64) { b.asked = true; return new(sock.Conn), b.left }

func (b *behindSocket) Moved(n int64, _ error) { b.moved = n }

func (b *behindSocket) Next(most int, wait bool) ([]byte, error) {
	if len(b.Made) == 0 && !wait {
		return nil, nil
	}
	return b.Made.Next(most, wait)
}

// Sockets are joined where nothing looks at the bytes and there are enough of them.
func TestSplicedWhereItCanBe(t *testing.T) {
	for _, c := range []struct {
		left     int64
		client11 bool
		framing  http1.Framing
		limit    int64
		spliced  bool
	}{
		{gathered + 1, false, http1.ByLength, 0, true}, {gathered, false, http1.ByLength, 0, false},
		{gathered + 1, true, http1.ByLength, 5, true}, // the limit was looked at before
		{-1, false, http1.UntilClose, 0, true}, {-1, true, http1.UntilClose, 0, false}, {-1, false, http1.UntilClose, 5, false},
	} {
		rest := strings.Repeat("r", gathered+1)
		client := &sink{moved: []byte(rest)}
		r := to(client, Hop{Method: http1.GET, HTTP11: true, Client11: c.client11})
		b := &behindSocket{Made: Made("begun"), left: c.left}
		framed := r.Frame(http1.Body{Framing: c.framing, Length: max(c.left, 0)}, c.limit, 10)
		r.Finish(Adding{Via: none, Framed: framed})
		err := r.Send(b)
		_, body := headAndBody(client)
		if spliced := b.moved == int64(len(rest)); spliced != c.spliced || err != nil {
			t.Errorf("%+v: spliced %v, %v", c, spliced, err)
		} else if spliced && (body != "begun"+rest || r.Sent != int64(client.got.Len())) {
			t.Errorf("%+v: %d bytes, %d counted", c, len(body), r.Sent)
		}
	}
}

// A socket that ends before its time is an error of the body.
func TestSplicedIsCut(t *testing.T) {
	client := &sink{moved: []byte("half")}
	r := to(client, Hop{Method: http1.GET})
	b := &behindSocket{left: 1 << 20}
	if err := r.Send(b); err != io.EOF || r.Keep || b.moved != 4 {
		t.Errorf("%v, keep %v, %d moved", err, r.Keep, b.moved)
	}
}

// A page and its head go out in one write.
func TestPage(t *testing.T) {
	for _, size := range []int{0, 10, 2000, gathered} {
		client := new(sink)
		r := to(client, Hop{Method: http1.GET, Connection: true})
		r.Fields.AddInt(http1.ContentLength, int64(size))
		r.Finish(Adding{Via: none, Framed: true})
		page := strings.Repeat("p", size)
		if err := r.SendPage([]byte(page)); err != nil {
			t.Fatal(err)
		}
		head, body := headAndBody(client)
		want := fmt.Sprintf("HTTP/1.0 200 OK\r\nContent-Length: %d\r\nX-Cache: MISS from p\r\nX-Cache-Lookup: MISS from p:1\r\nVia: 1.0 p:1 (squid)\r\nConnection: keep-alive", size)
		if head != want || body != page || client.writes > 1+size/gathered {
			t.Errorf("%d: %q and %d bytes in %d writes", size, head, len(body), client.writes)
		}
	}
}
