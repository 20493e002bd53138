package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Error is a packet that breaks a rule of the protocol.
type Error struct {
	Where string // message or component the fault is in
	Why   string

	// Incomplete: all that came is well formed, but a component is missing.
	Incomplete bool
}

func (e *Error) Error() string { return e.Where + ": " + e.Why }

func bad(where, format string, args ...any) error {
	return &Error{Where: where, Why: fmt.Sprintf(format, args...)}
}

// reader takes fields off the front of a component. After the first fault it
// yields zeros and keeps the fault; callers check err once, and before every
// loop whose length came off the wire.
type reader struct {
	b     []byte
	where string
	table *addressTable
	err   error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = bad(r.where, format, args...)
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n > len(r.b) {
		r.fail("%d octets wanted, %d left", n, len(r.b))
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) u8() uint8 {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if p := r.take(2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if p := r.take(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

// count reads the number of elements that follow, each at least size octets
// long, and refuses one that the rest of the component cannot hold.
func (r *reader) count(size int, of string) int {
	n := r.u32()
	if r.err == nil && uint64(n)*uint64(size) > uint64(len(r.b)) {
		r.fail("%d %s announced, %d octets left", n, of, len(r.b))
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

// addr reads four octets: an IPv4 address, or an index where the message has an address table.
func (r *reader) addr() netip.Addr {
	p := r.take(4)
	if p == nil {
		return netip.Addr{}
	}
	if r.table == nil {
		return netip.AddrFrom4([4]byte(p))
	}
	i := binary.BigEndian.Uint16(p[2:])
	a, ok := r.table.lookup(i)
	if !ok {
		r.fail("address index %d in a table of %d", i, len(r.table.addrs))
	}
	return a
}

func (r *reader) addrs(of string) []netip.Addr {
	n := r.count(4, of)
	if n == 0 {
		return nil
	}
	out := make([]netip.Addr, n)
	for i := range out {
		out[i] = r.addr()
	}
	return out
}

// end closes a component: nothing may be left of it.
func (r *reader) end() error {
	if r.err == nil && len(r.b) != 0 {
		r.fail("%d octets too many", len(r.b))
	}
	return r.err
}
