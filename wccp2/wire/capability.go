package wire

import (
	"encoding/binary"
	"net/netip"
)

// CapabilityType names what is negotiated (5.7.5; 4 and 5: rev1, sent by IOS 15).
type CapabilityType uint16

// The capabilities.
const (
	ForwardingMethod CapabilityType = 1
	AssignmentMethod CapabilityType = 2
	ReturnMethod     CapabilityType = 3
	TransmitInterval CapabilityType = 4
	TimerScale       CapabilityType = 5
)

// Methods of forwarding and returning packets, and of assignment: bits of a capability (5.7.5).
const (
	MethodGRE uint32 = 1
	MethodL2  uint32 = 2

	MethodHash uint32 = 1
	MethodMask uint32 = 2
)

// Capability is one element of the capability component (5.7.5).
type Capability struct {
	Type  CapabilityType
	Value []byte // four octets for all types known
}

// Bits makes the element of a capability whose value is a 32-bit set.
func Bits(t CapabilityType, v uint32) Capability {
	return Capability{t, binary.BigEndian.AppendUint32(nil, v)}
}

// Methods gives the bits that the element of type t carries; false where there
// is none or it is not of four octets.
func Methods(list []Capability, t CapabilityType) (uint32, bool) {
	for _, c := range list {
		if c.Type == t && len(c.Value) == 4 {
			return binary.BigEndian.Uint32(c.Value), true
		}
	}
	return 0, false
}

func (r *reader) tlvs(each func(t uint16, value []byte)) {
	for r.err == nil && len(r.b) > 0 {
		t := r.u16()
		v := r.take(int(r.u16()))
		if r.err == nil {
			each(t, cloned(v))
		}
	}
}

func (r *reader) capabilities() []Capability {
	list := []Capability{}
	r.tlvs(func(t uint16, v []byte) { list = append(list, Capability{CapabilityType(t), v}) })
	return list
}

func (w *writer) tlv(t uint16, v []byte) {
	if len(v) > 0xFFFF {
		w.fail("element", "%d octets do not fit", len(v))
	}
	w.u16(t)
	w.u16(uint16(len(v)))
	w.b = append(w.b, v...)
}

// Commands of the command extension (5.6.12). Their data is a cache's address.
const (
	CommandShutdown         uint16 = 1
	CommandShutdownResponse uint16 = 2
)

// Command is one element of the command extension (4.15, 5.6.12).
type Command struct {
	Type  uint16
	Cache netip.Addr // of the commands above
	Data  []byte     // of all others
}

func (c Command) ofCache() bool {
	return c.Type == CommandShutdown || c.Type == CommandShutdownResponse
}

func (r *reader) commands() []Command {
	list := []Command{}
	r.tlvs(func(t uint16, v []byte) {
		c := Command{Type: t, Data: v}
		if c.ofCache() {
			inner := &reader{b: v, where: r.where, table: r.table}
			c.Cache, c.Data = inner.addr(), nil
			r.err = inner.end()
		}
		list = append(list, c)
	})
	return list
}

func (w *writer) command(c Command) {
	if !c.ofCache() {
		w.tlv(c.Type, c.Data)
		return
	}
	w.u16(c.Type)
	w.sized("command", func() { w.addr(c.Cache) })
}
