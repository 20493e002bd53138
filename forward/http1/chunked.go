package http1

import (
	"bytes"
	"errors"
)

// ErrChunk is the error of a chunked body that is malformed or beyond a bound.
var ErrChunk = errors.New("malformed chunked body")

// Bounds of what surrounds the data of a chunked body, in bytes.
const (
	maxChunkLine  = 4096     // size line with extensions
	maxTrailer    = 16 << 10 // all trailer lines
	chunkAllowed  = 16 << 10 // extension bytes tolerated in a row of tiny chunks
	maxChunkDigit = 15       // hexadecimal digits of a size: below 2^60
)

type chunkState uint8

const (
	atSize chunkState = iota
	inData
	afterData
	inTrailer
	chunksDone
)

// Chunked decodes a chunked body (RFC 9112 section 7.1) from buffers of the
// caller, without copying. Extensions and trailers are read and dropped, as in
// 2.6. The zero value is at the start of a body.
type Chunked struct {
	// Relaxed accepts lines that end with a bare LF, and quotations that do not
	// end, for replies of old origins.
	Relaxed bool

	state   chunkState
	left    int64 // data bytes left in this chunk
	excess  int64 // bytes of extensions not paid for by data
	trailer int
}

// Done reports whether the whole body, trailer included, was read.
func (c *Chunked) Done() bool { return c.state == chunksDone }

// skip takes n data bytes of the present chunk.
func (c *Chunked) skip(n int64) {
	c.left -= n
	if c.left == 0 && c.state == inData {
		c.state = afterData
	}
}

// Next reads from src: data is the next piece of the body (a part of src,
// perhaps empty), n the number of bytes of src that are finished with. Call it
// until n is 0 or Done; then more bytes are needed behind those left over.
// Lines are never split: a line that is not complete stays in src, which must
// be able to hold 4096 bytes.
func (c *Chunked) Next(src []byte) (data []byte, n int, err error) {
	for n < len(src) && c.state != chunksDone {
		if c.state == inData {
			take := int(min(c.left, int64(len(src)-n)))
			data = src[n : n+take]
			c.skip(int64(take))
			return data, n + take, nil
		}
		line, used, err := c.line(src[n:])
		if err != nil || used == 0 {
			return nil, n, err
		}
		n += used
		if err := c.take(line, used); err != nil {
			return nil, n, err
		}
	}
	return nil, n, nil
}

// line isolates one line; used is 0 when it is not complete.
func (c *Chunked) line(b []byte) (line []byte, used int, err error) {
	feed := bytes.IndexByte(b, '\n')
	if feed < 0 {
		if len(b) >= maxChunkLine {
			return nil, 0, ErrChunk
		}
		return nil, 0, nil
	}
	if feed >= maxChunkLine {
		return nil, 0, ErrChunk
	}
	line = b[:feed]
	switch {
	case feed > 0 && line[feed-1] == '\r':
		line = line[:feed-1]
	case !c.Relaxed:
		return nil, 0, ErrChunk
	}
	if bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0 {
		return nil, 0, ErrChunk
	}
	return line, feed + 1, nil
}

// take acts on one line.
func (c *Chunked) take(line []byte, used int) error {
	switch c.state {
	case afterData:
		if len(line) > 0 {
			return ErrChunk
		}
		c.state = atSize
	case inTrailer:
		c.trailer += used
		if c.trailer > maxTrailer {
			return ErrChunk
		}
		if len(line) == 0 {
			c.state = chunksDone
		}
	case atSize:
		size, ok := chunkSize(line)
		if !ok || !c.Relaxed && bytes.Count(line, []byte{'"'})%2 != 0 {
			// A quotation that ends in another line is none, but some read it as one.
			return ErrChunk
		}
		// Data pays for the lines around it; a body of one-byte chunks with
		// long extensions does not get far.
		c.excess = max(0, c.excess+int64(used)-16-2*size)
		if c.excess > chunkAllowed {
			return ErrChunk
		}
		c.left, c.state = size, inData
		if size == 0 {
			c.state = inTrailer
		}
	}
	return nil
}

// chunkSize reads a size line: hexadecimal digits, blanks, and an extension
// that begins with ";".
func chunkSize(line []byte) (size int64, ok bool) {
	digits := 0
	for digits < len(line) {
		v, hex := hexValue(line[digits])
		if !hex {
			break
		}
		if digits == maxChunkDigit {
			return 0, false
		}
		size = size<<4 | int64(v)
		digits++
	}
	rest := line[digits:]
	for len(rest) > 0 && class[rest[0]]&isBlank != 0 {
		rest = rest[1:]
	}
	return size, digits > 0 && (len(rest) == 0 || rest[0] == ';')
}

func hexValue(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
