package fetch

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"pgregory.net/rapid"
)

// answerer is an origin that writes what it is told in the pieces it is told, and
// closes after it when that ends the body.
type answerer struct {
	at     string
	pieces chan []string
}

func newAnswerer(t *testing.T) *answerer {
	a := &answerer{pieces: make(chan []string, 1)}
	a.at = listen(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			pieces := <-a.pieces
			for _, piece := range pieces {
				if piece == "" {
					return
				}
				fmt.Fprint(c, piece)
			}
		}
	})
	return a
}

// cut divides a text at some places.
func cut(t *rapid.T, text string) (pieces []string) {
	for len(text) > 0 {
		n := rapid.IntRange(1, len(text)).Draw(t, "piece")
		pieces, text = append(pieces, text[:n]), text[n:]
	}
	return pieces
}

// A body arrives whole whatever pieces it comes and is asked for in, one that is cut
// is not taken for whole, and the connection is kept just when the next reply's
// place on it is known.
func TestBodyArrives(t *testing.T) {
	r := newRig(t, "")
	origin := newAnswerer(t)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Repeat("0123456789", rapid.IntRange(0, 3000).Draw(t, "tens"))
		framing := rapid.SampledFrom([]http1.Framing{http1.ByLength, http1.ByChunks, http1.UntilClose}).Draw(t, "framing")
		short := framing != http1.UntilClose && rapid.Bool().Draw(t, "short")
		head, coded := "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n", text
		switch framing {
		case http1.ByLength:
			head += fmt.Sprintf("Content-Length: %d\r\n\r\n", len(text))
		case http1.ByChunks:
			head, coded = head+"Transfer-Encoding: chunked\r\n\r\n", ""
			for rest := text; len(rest) > 0; {
				n := rapid.IntRange(1, len(rest)).Draw(t, "chunk")
				coded += fmt.Sprintf("%x\r\n%s\r\n", n, rest[:n])
				rest = rest[n:]
			}
			coded += http1.LastChunk
		default:
			head += "\r\n"
		}
		if short = short && len(coded) > 0; short {
			coded = coded[:len(coded)-rapid.IntRange(1, len(coded)).Draw(t, "missing")]
		}
		pieces := cut(t, head+coded)
		if short || framing == http1.UntilClose {
			pieces = append(pieces, "")
		}
		origin.pieces <- pieces
		before := r.env.Pool.Len()
		o, why := r.env.Get(t.Context(), &r.policy, "http://"+origin.at+"/", new(http1.Outgoing), acl.Facts{})
		if why != nil {
			t.Fatal(why)
		}
		got, err := drain(t, &o.Fetch)
		o.Close()
		kept := r.env.Pool.Len()
		switch {
		case short && (err == io.EOF || !strings.HasPrefix(text, got) || kept != 0):
			t.Fatalf("short: %d of %d bytes, %v, %d kept", len(got), len(text), err, kept)
		case !short && (err != io.EOF || got != text):
			t.Fatalf("%d of %d bytes, %v", len(got), len(text), err)
		case !short && (kept == 1) != (framing != http1.UntilClose):
			t.Fatalf("%d kept, %d before", kept, before)
		}
	})
}

// drain reads a body in steps of some sizes, waiting only after there was nothing.
func drain(t *rapid.T, f *Fetch) (got string, err error) {
	wait := false
	for {
		most := rapid.SampledFrom([]int{1, 1000, 20000}).Draw(t, "most")
		if len(got) > 5000 {
			most = 20000
		}
		piece, err := f.Next(most, wait)
		if len(piece) > most {
			t.Fatalf("%d bytes of at most %d", len(piece), most)
		}
		got += string(piece)
		if err != nil {
			return got, err
		}
		if wait && len(piece) == 0 {
			t.Fatal("nothing although it waited")
		}
		wait = len(piece) == 0
	}
}

// What comes on a used connection with more behind it may be another one's answer, left
// there by the last: the request is sent again on a new connection.
func TestMoreThanTheBodyOnAUsedConnection(t *testing.T) {
	r := newRig(t, "")
	const plain = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\n"
	for _, stale := range []string{
		plain + "evil",
		"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n",
	} {
		origin := newAnswerer(t)
		ask := func() string {
			o, why := r.env.Get(t.Context(), &r.policy, "http://"+origin.at+"/", new(http1.Outgoing), acl.Facts{})
			if why != nil {
				t.Fatal(why)
			}
			defer o.Close()
			body, err := io.ReadAll(reading{&o.Fetch})
			if err != nil {
				t.Error(err)
			}
			return string(body)
		}
		origin.pieces <- []string{plain + "body"}
		ask()
		go func() {
			origin.pieces <- []string{stale + plain + "body"}
			origin.pieces <- []string{plain + "body"}
		}()
		if got := ask(); got != "body" {
			t.Errorf("%q was answered with %q", stale, got)
		}
	}
}

// Bytes behind the body are nobody's, and their connection is not used again.
func TestBytesBehindTheBody(t *testing.T) {
	r := newRig(t, "")
	origin := newAnswerer(t)
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n",
		"HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nbody",
	} {
		origin.pieces <- []string{answer}
		o, why := r.env.Get(t.Context(), &r.policy, "http://"+origin.at+"/", new(http1.Outgoing), acl.Facts{})
		if why != nil {
			t.Fatal(why)
		}
		body, err := io.ReadAll(reading{&o.Fetch})
		if want := map[bool]string{true: "", false: "body"}[o.Reply.Status == 304]; string(body) != want || err != nil {
			t.Errorf("%q: %q, %v", answer, body, err)
		}
		o.Close()
		if n := r.env.Pool.Len(); n != 0 {
			t.Errorf("%q: %d kept", answer, n)
		}
	}
}
