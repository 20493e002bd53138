package acl

import "sync"

// unescape decodes %xx once, in place, as 2.6 does before matching: "%%" is a
// percent sign, and %00 and what is no hex number stay as they are.
func unescape(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' && i+1 < len(b) {
			if b[i+1] == '%' {
				i++
			} else if i+2 < len(b) {
				hi, lo := unhex[b[i+1]], unhex[b[i+2]]
				if hi < 16 && lo < 16 && hi|lo != 0 {
					c = hi<<4 | lo
					i += 2
				}
			}
		}
		out = append(out, c)
	}
	return out
}

// unhex is the value of hexadecimal digits, 255 for all other bytes.
var unhex = func() (t [256]byte) {
	for i := range t {
		switch {
		case '0' <= i && i <= '9':
			t[i] = byte(i - '0')
		case 'a' <= i && i <= 'f':
			t[i] = byte(i - 'a' + 10)
		case 'A' <= i && i <= 'F':
			t[i] = byte(i - 'A' + 10)
		default:
			t[i] = 255
		}
	}
	return t
}()

// scratch is storage for the text an ACL looks at.
type scratch struct{ b []byte }

var scratches = sync.Pool{New: func() any { return &scratch{make([]byte, 0, 1024)} }}

func newScratch() *scratch { return scratches.Get().(*scratch) }

// free gives the storage back; what an unusual text blew up is left to the
// garbage collector.
func (s *scratch) free() {
	if cap(s.b) <= 64<<10 {
		s.b = s.b[:0]
		scratches.Put(s)
	}
}
