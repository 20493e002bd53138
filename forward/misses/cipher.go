package misses

import (
	"encoding/binary"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Sizes in octets.
const (
	blockSize = 8
	// mostText is the longest text that is told of, with the octet of 0 behind it.
	mostText = 1456
)

// key is what texts are enciphered with.
type key [4]uint32

// newKey takes the first octets of a text.
func newKey(text string) (k key) {
	var first [conf.MissKeySize]byte
	copy(first[:], text)
	for i := range k {
		k[i] = binary.BigEndian.Uint32(first[4*i:])
	}
	return k
}

// Rounds and constant of TEA, the Tiny Encryption Algorithm (Wheeler and Needham, 1994).
const (
	rounds = 32
	delta  = 0x9e3779b9
)

// appendText appends text enciphered, with an octet of 0 behind it and filled up to
// whole blocks; what is too long is cut. The cipher is TEA as 2.6 has it, which adds
// where the published one mixes, and so deciphers with 2.6's receivers only. It hides
// URLs from a glance, not from who wants to know.
func (k *key) appendText(dst, text []byte) []byte {
	text = text[:min(len(text), mostText-1)]
	begin := len(dst)
	dst = append(dst, text...)
	dst = append(dst, make([]byte, blockSize-len(text)%blockSize)...)
	for b := dst[begin:]; len(b) > 0; b = b[blockSize:] {
		y, z, sum := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), uint32(0)
		for range rounds {
			sum += delta
			y += (z << 4) + (k[0] ^ z) + (sum ^ z>>5) + k[1]
			z += (y << 4) + (k[2] ^ y) + (sum ^ y>>5) + k[3]
		}
		binary.BigEndian.PutUint32(b, y)
		binary.BigEndian.PutUint32(b[4:], z)
	}
	return dst
}
