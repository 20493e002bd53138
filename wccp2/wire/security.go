package wire

import (
	"crypto/md5" // the protocol's only digest
	"crypto/subtle"
)

// Security options (5.6.1).
const (
	NoSecurity  uint32 = 0
	MD5Security uint32 = 1
)

// Security is the security component (5.6.1).
type Security struct {
	Option uint32   // NoSecurity or MD5Security
	Digest [16]byte // with MD5Security: as received; Append computes it anew

	offset int // of the digest in the datagram parsed
}

// MaxPassword is the number of octets of a password that count; the rest is cut.
const MaxPassword = 8

// digest is MD5 over the password, cut or zero-padded to eight octets, and the
// message with the digest field zero (5.6.1). Hashing a ninth octet is the
// error that kept later Squids' passwords from ever matching.
func digest(message []byte, offset int, password string) [16]byte {
	var pad [MaxPassword]byte
	var zero [16]byte
	copy(pad[:], password)
	h := md5.New()
	h.Write(pad[:])
	h.Write(message[:offset])
	h.Write(zero[:])
	h.Write(message[offset+16:])
	return [16]byte(h.Sum(nil))
}

// Authentic reports whether datagram, which m was parsed from, carries the digest
// that password makes. A message without MD5 security is never authentic.
func Authentic(datagram []byte, m *Message, password string) bool {
	if m.Security.Option != MD5Security || m.Security.offset == 0 || m.length > len(datagram) {
		return false
	}
	want := digest(datagram[:m.length], m.Security.offset, password)
	return subtle.ConstantTimeCompare(want[:], m.Security.Digest[:]) == 1
}

func (r *reader) security(base int) Security {
	s := Security{Option: r.u32()}
	switch s.Option {
	case NoSecurity:
	case MD5Security:
		s.offset = base + 4
		copy(s.Digest[:], r.take(16))
	default:
		r.fail("option %d", s.Option)
	}
	return s
}

// security leaves room for the digest and returns where it goes, 0 without one.
func (w *writer) security(s Security) (offset int) {
	w.component(SecurityInfo, func() {
		w.u32(s.Option)
		if s.Option == MD5Security {
			offset = len(w.b) - w.start
			w.b = append(w.b, make([]byte, 16)...)
		}
	})
	if s.Option > MD5Security {
		w.fail("security", "option %d", s.Option)
	}
	return offset
}
