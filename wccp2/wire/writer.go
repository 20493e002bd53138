package wire

import (
	"encoding/binary"
	"net/netip"
)

// writer appends fields to a datagram and remembers the first thing that cannot be said.
type writer struct {
	b     []byte
	start int // where this message begins in b
	table *addressTable
	err   error
}

func (w *writer) fail(where, format string, args ...any) {
	if w.err == nil {
		w.err = bad(where, format, args...)
	}
}

func (w *writer) u8(v uint8)   { w.b = append(w.b, v) }
func (w *writer) u16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *writer) u32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

func (w *writer) addr(a netip.Addr) {
	switch {
	case w.table != nil:
		i, ok := w.table.index(a)
		if !ok {
			w.fail("address table", "%s does not belong to the family of the others", a)
		}
		w.u32(i)
	case !a.IsValid():
		w.u32(0)
	case a.Is4():
		p := a.As4()
		w.b = append(w.b, p[:]...)
	default:
		w.fail("address", "%s needs an address table", a)
	}
}

func (w *writer) addrs(list []netip.Addr) {
	w.u32(uint32(len(list)))
	for _, a := range list {
		w.addr(a)
	}
}

// component writes the header, then body, then the length that came of it.
func (w *writer) component(t ComponentType, body func()) {
	w.u16(uint16(t))
	w.sized(t.String(), body)
}

// sized writes the length of what body appends, which bears a name, and body.
func (w *writer) sized(name string, body func()) {
	w.u16(0)
	at := len(w.b)
	body()
	n := len(w.b) - at
	if n > 0xFFFF {
		w.fail(name, "%d octets do not fit", n)
		return
	}
	binary.BigEndian.PutUint16(w.b[at-2:], uint16(n))
}
