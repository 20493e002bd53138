package digest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// Facts of the format.
const (
	// HeaderSize is the size of the header in octets.
	HeaderSize = 128
	version    = 5
	// oldest is the oldest version whose readers understand ours, and the oldest we
	// understand.
	oldest    = 3
	functions = 4
	// mostFull is the percentage of set bits above which a digest says nothing.
	mostFull = 65
	// MaxMask bounds the mask of a neighbour, in octets: room for a hundred million
	// objects.
	MaxMask = 64 << 20
)

// Key is the MD5 of a method's number and a URL, by which 2.6 knows an object.
type Key = [16]byte

// Digest is a set of keys with false positives.
type Digest struct {
	// Capacity is how many keys it was made for, Count how many are in it.
	Capacity, Count int
	perEntry        uint8
	mask            []byte
}

// maskSize is the size of the mask in octets, which follows from the others.
func maskSize(capacity, perEntry int) int { return (capacity*perEntry + 7) / 8 }

// New makes an empty digest. Capacity and bits for each entry are at least 1, and
// its mask is at most MaxMask octets.
func New(capacity, bitsPerEntry int) *Digest {
	perEntry := min(max(1, bitsPerEntry), 255)
	d := &Digest{Capacity: min(max(1, capacity), MaxMask*8/perEntry), perEntry: uint8(perEntry)}
	d.mask = make([]byte, maskSize(d.Capacity, int(d.perEntry)))
	return d
}

// Add puts a key in.
func (d *Digest) Add(key Key) {
	for _, bit := range d.bits(key) {
		d.mask[bit/8] |= 1 << (bit % 8)
	}
	d.Count++
}

// Has reports whether a key was put in; now and then it says so of one that was
// not.
func (d *Digest) Has(key Key) bool {
	for _, bit := range d.bits(key) {
		if d.mask[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
	}
	return true
}

// bits gives the bits of a key. MaxMask keeps their number below 2^32.
func (d *Digest) bits(key Key) [functions]uint32 {
	n := uint32(len(d.mask)) * 8
	return [functions]uint32{
		binary.BigEndian.Uint32(key[0:]) % n, binary.BigEndian.Uint32(key[4:]) % n,
		binary.BigEndian.Uint32(key[8:]) % n, binary.BigEndian.Uint32(key[12:]) % n,
	}
}

// Full is the percentage of the mask's bits that are set.
func (d *Digest) Full() int {
	set := 0
	for _, b := range d.mask {
		set += bits.OnesCount8(b)
	}
	return 100 * set / (8 * len(d.mask))
}

// Size is the size in octets, header and mask.
func (d *Digest) Size() int { return HeaderSize + len(d.mask) }

// Append appends header and mask.
func (d *Digest) Append(dst []byte) []byte { return append(d.appendHeader(dst), d.mask...) }

func (d *Digest) appendHeader(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, version)
	dst = binary.BigEndian.AppendUint16(dst, oldest)
	for _, n := range []int{d.Capacity, d.Count, 0, len(d.mask)} {
		dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	}
	dst = append(dst, d.perEntry, functions)
	return append(dst, make([]byte, HeaderSize-22)...)
}

// What Read finds at fault, beside a header that says what cannot be.
var (
	// ErrCut is a digest that ends before its mask does.
	ErrCut = errors.New("premature end of digest")
	// ErrUseless is one with so many bits set that it says nothing.
	ErrUseless = errors.New("useless digest")
)

// Read reads a digest as a neighbour sends it. Octets behind the mask are not
// looked at. Memory is taken as the mask comes in, not as its header promises.
func Read(from io.Reader) (*Digest, error) {
	var header [HeaderSize]byte
	if _, err := io.ReadFull(from, header[:]); err != nil {
		return nil, cut(err)
	}
	d, size, err := parseHeader(header[:])
	if err != nil {
		return nil, err
	}
	for len(d.mask) < size {
		step := min(size-len(d.mask), 64<<10)
		d.mask = append(d.mask, make([]byte, step)...)
		if _, err := io.ReadFull(from, d.mask[len(d.mask)-step:]); err != nil {
			return nil, cut(err)
		}
	}
	if full := d.Full(); full > mostFull {
		return nil, fmt.Errorf("%w: %d%% of the bits are set", ErrUseless, full)
	}
	return d, nil
}

func cut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrCut
	}
	return err
}

// parseHeader gives a digest without mask, and the size of the mask.
func parseHeader(h []byte) (d *Digest, size int, err error) {
	// 2.6 reads versions as signed numbers.
	current, required := int16(binary.BigEndian.Uint16(h)), int16(binary.BigEndian.Uint16(h[2:]))
	capacity, count := binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	mask := binary.BigEndian.Uint32(h[16:])
	perEntry := h[20]
	switch {
	case required > version:
		return nil, 0, fmt.Errorf("digest requires version %d; have: %d", required, version)
	case current < oldest:
		return nil, 0, fmt.Errorf("digest is version %d; we require: %d", current, oldest)
	case capacity < 1 || mask < 1:
		return nil, 0, fmt.Errorf("digest of capacity %d with a mask of %d octets", capacity, mask)
	case mask > MaxMask:
		return nil, 0, fmt.Errorf("digest mask of %d octets; at most %d are read", mask, MaxMask)
	case h[21] != functions:
		return nil, 0, fmt.Errorf("unsupported number of hash functions: %d", h[21])
	case int(mask) != maskSize(int(capacity), int(perEntry)):
		return nil, 0, fmt.Errorf("digest mask of %d octets for a capacity of %d", mask, capacity)
	}
	return &Digest{Capacity: int(capacity), Count: int(count), perEntry: perEntry}, int(mask), nil
}
