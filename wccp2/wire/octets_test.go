package wire

import (
	"bytes"
	"fmt"
	"testing"
)

// shapes are recorded packets, one of each kind and length.
func shapes(t testing.TB) map[string][]byte {
	found := map[string][]byte{}
	for _, p := range recordedPackets(t) {
		raw := p.bytes(t)
		found[fmt.Sprintf("%s of %d octets", p.Message, len(raw))] = raw
	}
	return found
}

// written is what becomes of a packet that is read and written again.
func written(raw []byte) ([]byte, error) {
	if IsV1(raw) {
		m, err := ParseV1(raw)
		if err != nil {
			return nil, err
		}
		return m.Append(nil)
	}
	m, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	again, err := m.Append(nil, "")
	if err == nil && m.Security.Option == MD5Security {
		at := m.Security.offset
		if len(again) < at+16 {
			return again, nil
		}
		copy(again[at:], m.Security.Digest[:]) // Append made a new one
	}
	return again, err
}

// No octet is ignored: whatever another one says is refused, or written again as
// it was read. All that may be lost are reserved bits.
func TestEveryOctetCounts(t *testing.T) {
	refused, kept, lost := 0, 0, 0
	for name, raw := range shapes(t) {
		if again, err := written(raw); err != nil || !bytes.Equal(again, raw) {
			continue // spoilt, padded, or in another order, which TestRecordedPackets looks at
		}
		for at := range raw {
			for _, flip := range []byte{0x01, 0x80, 0xFF} {
				changed := bytes.Clone(raw)
				changed[at] ^= flip
				again, err := written(changed)
				switch {
				case err != nil:
					refused++
				case bytes.Equal(again, changed):
					kept++
				case onlyReserved(raw, changed, again, at):
					lost++
				default:
					t.Errorf("%s: octet %d changed by %#02x:\n read % x\nwrote % x", name, at, flip, changed, again)
				}
			}
		}
	}
	if refused < 1000 || kept < 10000 || lost == 0 {
		t.Errorf("%d changes refused, %d kept, %d reserved", refused, kept, lost)
	}
	t.Logf("%d changes refused, %d kept, %d reserved", refused, kept, lost)
}

// onlyReserved reports whether a packet was written as before but for one octet, of
// which reserved bits went: the flags of a cache identity but the lowest three
// (5.7.2); of version 1 "unassigned", which routers put at either end of a word, and
// the padding behind an I_SEE_YOU.
func onlyReserved(raw, changed, again []byte, at int) bool {
	for i := range again {
		if i != at && again[i] != changed[i] && !IsV1(raw) {
			return false
		}
	}
	if IsV1(raw) {
		if MessageType(number(changed)) == V1ISeeYou && len(again) < len(changed) && bytes.HasPrefix(changed, again) {
			return true
		}
		m, err := ParseV1(changed)
		before, _ := ParseV1(raw)
		return err == nil && (m.Unassigned != before.Unassigned || len(m.Caches) > 0 && m.Type == V1ISeeYou)
	}
	parts, _ := split(raw, "")
	for _, p := range parts {
		if at < p.at || at >= p.at+len(p.Body) {
			continue
		}
		for _, flags := range flagsOf(p) {
			if at == flags || at == flags+1 && again[at] == changed[at]&7 {
				return true
			}
		}
	}
	return false
}

// flagsOf are the places of the flags of all cache identities in a component that
// holds no other mask data than one empty set.
func flagsOf(p part) (places []int) {
	const intoIdentity, hashIdentity, maskIdentity = 6, 44, 32
	switch p.Type {
	case CacheIdentityInfo:
		return []int{p.at + intoIdentity}
	case RouterViewInfo:
		routers := int(p.Body[15])
		for at := 16 + 4*routers + 4; at+maskIdentity <= len(p.Body); {
			places = append(places, p.at+at+intoIdentity)
			if DataKind(p.Body[at+7]>>1&3) == MaskData {
				sets := p.Body[at+8:]
				at += maskIdentity + int(number(sets[16:]))*valueSize
			} else {
				at += hashIdentity
			}
		}
	}
	return places
}
