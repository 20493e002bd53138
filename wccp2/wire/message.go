package wire

import (
	"encoding/binary"
	"net/netip"
)

// Message is one version 2 message: the header and whichever components it has (5).
type Message struct {
	Type    MessageType
	Version uint16 // 0 is written as Version2, or Version2r1 with an address table

	Security       Security
	Service        *Service
	RouterIdentity *RouterIdentity
	CacheIdentity  *CacheIdentity
	RouterView     *RouterView
	CacheView      *CacheView
	Assignment     *Assignment // hash only
	AltAssignment  *Assignment // any method
	Query          *RouterQuery
	AssignmentMap  *AssignmentMap // mask only
	AltMap         *AssignmentMap
	Capabilities   []Capability // nil: no component
	Commands       []Command    // nil: no component

	// AddressTable says that addresses are indices into a table (rev1). Append
	// makes one in any case where an address is IPv6.
	AddressTable bool

	// Skipped holds, in order, what was not understood or stood in the wrong
	// kind of message. Append writes it after everything else.
	Skipped []Component

	length int // of the datagram's part that was parsed
}

const headerSize = 8

// essential lists what must be readable in each kind of message (5.1 to 5.4).
var essential = map[MessageType][]ComponentType{
	HereIAm:        {SecurityInfo, ServiceInfo, CacheIdentityInfo, CacheViewInfo, CapabilityInfo},
	ISeeYou:        {SecurityInfo, ServiceInfo, RouterIdentityInfo, RouterViewInfo, CapabilityInfo},
	RedirectAssign: {SecurityInfo, ServiceInfo, AssignmentInfo, AltAssignmentInfo},
	RemovalQuery:   {SecurityInfo, ServiceInfo, QueryInfo},
}

// Parse reads one version 2 message that has all the components its kind needs.
// Octets behind the length that the header gives are ignored. The result shares
// no memory with datagram.
func Parse(datagram []byte) (*Message, error) {
	if len(datagram) < headerSize {
		return nil, bad("header", "%d octets are no message", len(datagram))
	}
	m := &Message{
		Type:    MessageType(binary.BigEndian.Uint32(datagram)),
		Version: binary.BigEndian.Uint16(datagram[4:]),
		length:  headerSize + int(binary.BigEndian.Uint16(datagram[6:])),
	}
	where := m.Type.String()
	must, known := essential[m.Type]
	switch {
	case !known:
		return nil, bad("header", "%s", where)
	case m.Version>>8 != Version2>>8:
		return nil, bad(where, "version %#04x", m.Version)
	case m.length > len(datagram):
		return nil, bad(where, "claims %d octets, %d came", m.length, len(datagram))
	}
	parts, err := split(datagram[:m.length], where)
	if err != nil {
		return nil, err
	}
	var table *addressTable
	for _, p := range parts {
		if p.Type == AddressTableInfo {
			if m.Version < Version2r1 {
				return nil, bad(where, "address table in version %#04x", m.Version)
			}
			if table, err = parseAddressTable(p.Body); err != nil {
				return nil, err
			}
			m.AddressTable = true
		}
	}
	for _, p := range parts {
		if err := m.parse(p, table); err == nil {
			continue
		} else if contains(must, p.Type) {
			return nil, err
		}
		m.Skipped = append(m.Skipped, Component{p.Type, cloned(p.Body)})
	}
	if missing := m.missing(parts); missing != "" {
		return nil, &Error{Where: where, Why: "no " + missing, Incomplete: true}
	}
	return m, nil
}

// missing names the component that such a message cannot do without and has not (5.1 to 5.4).
func (m *Message) missing(parts []part) string {
	secured := false
	for _, p := range parts {
		secured = secured || p.Type == SecurityInfo
	}
	switch {
	case !secured:
		return SecurityInfo.String()
	case m.Service == nil:
		return ServiceInfo.String()
	case m.Type == ISeeYou && m.RouterIdentity == nil:
		return RouterIdentityInfo.String()
	case m.Type == ISeeYou && m.RouterView == nil:
		return RouterViewInfo.String()
	case m.Type == HereIAm && m.CacheIdentity == nil:
		return CacheIdentityInfo.String()
	case m.Type == HereIAm && m.CacheView == nil:
		return CacheViewInfo.String()
	case m.Type == RedirectAssign && m.Assignment == nil && m.AltAssignment == nil:
		return AssignmentInfo.String()
	case m.Type == RemovalQuery && m.Query == nil:
		return QueryInfo.String()
	}
	return ""
}

// part is a component with the place of its body in the datagram.
type part struct {
	Component
	at int
}

// split cuts a message into its components.
func split(message []byte, where string) ([]part, error) {
	var parts []part
	seen := map[ComponentType]bool{}
	for at := headerSize; at < len(message); {
		if len(message)-at < 4 {
			return nil, bad(where, "%d octets behind the last component", len(message)-at)
		}
		t := ComponentType(binary.BigEndian.Uint16(message[at:]))
		n := int(binary.BigEndian.Uint16(message[at+2:]))
		at += 4
		if n > len(message)-at {
			return nil, bad(where, "%s of %d octets, %d left", t, n, len(message)-at)
		}
		if seen[t] && componentNames[t] != "" {
			return nil, bad(where, "%s twice", t)
		}
		seen[t] = true
		parts = append(parts, part{Component{t, message[at : at+n]}, at})
		at += n
	}
	return parts, nil
}

// parse reads one component into its field.
func (m *Message) parse(p part, table *addressTable) error {
	r := &reader{b: p.Body, where: p.Type.String(), table: table}
	switch p.Type {
	case SecurityInfo:
		m.Security = r.security(p.at)
	case ServiceInfo:
		return keep(r, r.service(), &m.Service)
	case RouterIdentityInfo:
		return keep(r, r.routerIdentity(), &m.RouterIdentity)
	case CacheIdentityInfo:
		c := r.cacheIdentity()
		return keep(r, &c, &m.CacheIdentity)
	case RouterViewInfo:
		return keep(r, r.routerView(), &m.RouterView)
	case CacheViewInfo:
		return keep(r, r.cacheView(), &m.CacheView)
	case AssignmentInfo:
		return keep(r, r.assignment(AssignHash), &m.Assignment)
	case QueryInfo:
		return keep(r, r.routerQuery(), &m.Query)
	case CapabilityInfo:
		return keep(r, r.capabilities(), &m.Capabilities)
	case AltAssignmentInfo:
		return keep(r, r.altAssignment(), &m.AltAssignment)
	case AssignmentMapInfo:
		return keep(r, r.assignmentMap(), &m.AssignmentMap)
	case AltMapInfo:
		return keep(r, r.altMap(), &m.AltMap)
	case CommandInfo:
		return keep(r, r.commands(), &m.Commands)
	case AddressTableInfo:
		return nil
	default:
		r.fail("unknown")
	}
	return r.end()
}

// keep stores what was read if all of the component was.
func keep[T any](r *reader, v T, to *T) error {
	if err := r.end(); err != nil {
		return err
	}
	*to = v
	return nil
}

func contains(list []ComponentType, t ComponentType) bool {
	for _, x := range list {
		if x == t {
			return true
		}
	}
	return false
}

// Append writes the message behind dst. With MD5Security it is signed with
// password; otherwise password is not looked at.
func (m *Message) Append(dst []byte, password string) ([]byte, error) {
	w := &writer{b: dst, start: len(dst)}
	if m.AddressTable || m.hasIPv6() {
		w.table = &addressTable{v6: m.hasIPv6()}
	}
	version := m.Version
	switch {
	case version == 0 && w.table != nil:
		version = Version2r1
	case version == 0:
		version = Version2
	case version < Version2r1 && w.table != nil:
		w.fail("address table", "not for version %#04x", version)
	}
	w.u32(uint32(m.Type))
	w.u16(version)
	w.u16(0)
	digestAt := w.security(m.Security)
	m.components(w)
	n := len(w.b) - w.start - headerSize
	if n > 0xFFFF {
		w.fail(m.Type.String(), "%d octets do not fit a message", n)
	}
	if w.err != nil {
		return dst, w.err
	}
	message := w.b[w.start:]
	binary.BigEndian.PutUint16(message[6:], uint16(n))
	if digestAt != 0 {
		d := digest(message, digestAt, password)
		copy(message[digestAt:], d[:])
	}
	return w.b, nil
}

// components writes everything behind the security component, in the draft's order.
func (m *Message) components(w *writer) {
	if m.Service != nil {
		w.service(m.Service)
	}
	if m.RouterIdentity != nil {
		w.routerIdentity(m.RouterIdentity)
	}
	if m.CacheIdentity != nil {
		w.component(CacheIdentityInfo, func() { w.cacheIdentity(m.CacheIdentity) })
	}
	if m.RouterView != nil {
		w.routerView(m.RouterView)
	}
	if m.CacheView != nil {
		w.cacheView(m.CacheView)
	}
	if m.Assignment != nil {
		if m.Assignment.Method != AssignHash {
			w.fail("assignment", "only hash assignment goes here")
		}
		w.component(AssignmentInfo, func() { w.assignment(m.Assignment) })
	}
	if a := m.AltAssignment; a != nil {
		w.component(AltAssignmentInfo, func() { w.typed(a.Method, func() { w.assignment(a) }) })
	}
	if m.AssignmentMap != nil {
		w.component(AssignmentMapInfo, func() { w.maskValueSets(m.AssignmentMap.Sets) })
	}
	if m.AltMap != nil {
		w.component(AltMapInfo, func() { w.altMap(m.AltMap) })
	}
	if m.Query != nil {
		w.routerQuery(m.Query)
	}
	if m.Capabilities != nil {
		w.component(CapabilityInfo, func() {
			for _, c := range m.Capabilities {
				w.tlv(uint16(c.Type), c.Value)
			}
		})
	}
	if m.Commands != nil {
		w.component(CommandInfo, func() {
			for _, c := range m.Commands {
				w.command(c)
			}
		})
	}
	for _, s := range m.Skipped {
		w.component(s.Type, func() { w.b = append(w.b, s.Body...) })
	}
	if w.table != nil {
		w.addressTable(w.table)
	}
}

// hasIPv6 reports whether an address of the message needs the table.
func (m *Message) hasIPv6() bool {
	found := false
	m.eachAddr(func(a netip.Addr) { found = found || a.Is6() })
	return found
}
