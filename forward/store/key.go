package store

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Key names an object in the index and in swap.state: an MD5 digest as 2.6 makes
// it, so that its cache directories are found again.
type Key [md5.Size]byte

// String is the key in hexadecimal, upper case, as store.log shows it.
func (k Key) String() string {
	var b [2 * md5.Size]byte
	return string(k.AppendHex(b[:0]))
}

// AppendHex appends the key in upper-case hexadecimal.
func (k Key) AppendHex(dst []byte) []byte {
	at := len(dst)
	dst = hex.AppendEncode(dst, k[:])
	for i := at; i < len(dst); i++ {
		if dst[i] >= 'a' {
			dst[i] -= 'a' - 'A'
		}
	}
	return dst
}

// ParseKey reads a key as AppendHex writes it.
func ParseKey(text []byte) (k Key, ok bool) {
	if len(text) != 2*len(k) {
		return k, false
	}
	_, err := hex.Decode(k[:], text)
	return k, err == nil
}

// What separates the parts of a variant's key.
const (
	varySeparator     = "\x00V"
	encodingSeparator = "\x00E"
	groupSeparator    = "\x00G"
)

// KeyParts is what a key is made of.
type KeyParts struct {
	// Method is the request method; its number is part of the key.
	Method http1.Method
	// URL is the canonical URL, or the one the store URL rewriter gave.
	URL []byte
	// Vary is the text of the selecting request fields (SelectingText), empty for
	// what does not vary and for the marker that lists the variants.
	Vary []byte
	// Encoding is the Accept-Encoding that broken_vary_encoding adds, empty without.
	Encoding []byte
	// Group is the url group a rewriter has named (2.6's urlgroup), empty without.
	Group []byte
}

// Key is the MD5 digest of the method's number in one octet, the URL and, each
// behind its separator, the other parts that are there. It allocates nothing
// for URLs of up to 2 KB.
func (p *KeyParts) Key() Key {
	var short [2 << 10]byte
	b := append(short[:0], byte(p.Method))
	b = append(b, p.URL...)
	if len(p.Vary) > 0 {
		b = append(append(b, varySeparator...), p.Vary...)
		if len(p.Encoding) > 0 {
			b = append(append(b, encodingSeparator...), p.Encoding...)
		}
	}
	if len(p.Group) > 0 {
		b = append(append(b, groupSeparator...), p.Group...)
	}
	return md5.Sum(b)
}

// RandomKey is a key for store.log of what nobody can find. 2.6 makes a digest of a
// number that it counts up, the method and the URL, which nobody can foresee either; one
// drawn at random costs a hundredth of that.
func RandomKey() (k Key) {
	binary.LittleEndian.PutUint64(k[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(k[8:], rand.Uint64())
	return k
}
