package http1

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// decode feeds text to the decoder in pieces of the given size and returns the
// body, the bytes left over, and whether the body ended.
func decode(c *Chunked, text string, piece int) (body string, rest string, done bool, err error) {
	var out, held []byte
	for len(text) > 0 && !c.Done() {
		take := min(piece, len(text))
		held, text = append(held, text[:take]...), text[take:]
		for len(held) > 0 && !c.Done() {
			data, n, err := c.Next(held)
			out = append(out, data...)
			held = held[n:]
			if err != nil {
				return string(out), "", false, err
			}
			if n == 0 {
				break
			}
		}
	}
	return string(out), string(held) + text, c.Done(), nil
}

func TestChunkedDecoding(t *testing.T) {
	for _, c := range []struct {
		name, text string
		body, rest string
		strict     bool // accepted without Relaxed
		relaxed    bool
	}{
		{"plain", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", "", true, true},
		{"extension", "5;a=b\r\nhello\r\n0;z\r\n\r\n", "hello", "", true, true},
		{"blank before extension", "5 ; a\r\nhello\r\n0\t\r\n\r\n", "hello", "", true, true},
		{"trailer", "5\r\nhello\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n", "hello", "", true, true},
		{"next message", "0\r\n\r\nGET / HTTP/1.1\r\n", "", "GET / HTTP/1.1\r\n", true, true},
		{"upper case and zeros", "0A\r\n0123456789\r\n000\r\n\r\n", "0123456789", "", true, true},
		{"bare LF", "2\nhi\n0\n\n", "hi", "", false, true},
		{"no size", "\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"no number", "zz\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"negative", "-2\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"plus", "+2\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"0x", "0x2\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"leading blank", " 2\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"underscore", "1_0\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"tail", "2 x\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"beyond 60 bits", "1000000000000000\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"overflow to 2", "10000000000000002\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"CR in extension", "2;a\rb\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"NUL in extension", "2;\x00\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"data too long", "2\r\nhiX\r\n0\r\n\r\n", "hi", "", false, false},
		{"no line end behind data", "2\r\nhi0\r\n\r\n", "hi", "", false, false},
		{"blank line behind data", "2\r\nhi\r\n\r\n0\r\n\r\n", "hi", "", false, false},
		{"size line too long", "2;" + strings.Repeat("x", maxChunkLine) + "\r\nhi\r\n0\r\n\r\n", "", "", false, false},
		{"trailer too long", "0\r\n" + strings.Repeat("X: 1234567890\r\n", maxTrailer/14) + "\r\n", "", "", false, false},
		{"extensions that outweigh data", strings.Repeat("1;"+strings.Repeat("x", 100)+"\r\na\r\n", 10000) + "0\r\n\r\n", "?", "", false, false},
	} {
		for relaxedMode, accepted := range map[bool]bool{false: c.strict, true: c.relaxed} {
			for _, piece := range []int{1, 2, 7, 1 << 20} {
				body, rest, done, err := decode(&Chunked{Relaxed: relaxedMode}, c.text, piece)
				if (err == nil && done) != accepted {
					t.Errorf("%s (relaxed %v, pieces of %d): done %v, error %v", c.name, relaxedMode, piece, done, err)
				} else if accepted && (body != c.body || rest != c.rest) {
					t.Errorf("%s: body %q rest %q", c.name, body, rest)
				}
			}
		}
	}
}

func TestChunkedSkip(t *testing.T) {
	c := &Chunked{}
	data, n, err := c.Next([]byte("64\r\nab"))
	if err != nil || string(data) != "ab" || n != 6 || c.left != 98 {
		t.Fatalf("%q %d %v left %d", data, n, err, c.left)
	}
	c.skip(98) // moved by splice
	if c.left != 0 {
		t.Errorf("left %d", c.left)
	}
	if body, _, done, err := decode(c, "\r\n1\r\nz\r\n0\r\n\r\n", 100); body != "z" || !done || err != nil {
		t.Errorf("%q %v %v", body, done, err)
	}
}

// Whatever is encoded, in whatever pieces it arrives, decodes to the same.
func TestChunkedRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want, wire []byte
		for _, piece := range rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 300), 0, 20).Draw(t, "chunks") {
			want = append(want, piece...)
			wire = append(AppendChunkSize(wire, len(piece)), piece...)
			wire = append(wire, ChunkEnd...)
		}
		wire = append(append(wire, LastChunk...), "rest"...)
		size := rapid.IntRange(1, 50).Draw(t, "piece")
		body, rest, done, err := decode(&Chunked{}, string(wire), size)
		if err != nil || !done || !bytes.Equal([]byte(body), want) || !strings.HasPrefix("rest", rest) {
			t.Fatalf("body %q rest %q done %v error %v", body, rest, done, err)
		}
	})
}
