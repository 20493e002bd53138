package dns

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// message is a reply under construction, for tests.
type message struct {
	id        uint16
	rcode     dnsmessage.RCode
	truncated bool
	query     bool // not a response at all
	name      string
	class     dnsmessage.Type
	answers   []answerRecord
}

// answerRecord is one record: an address, a PTR or a CNAME by what is set.
type answerRecord struct {
	owner, addr, ptr, cname string
	ttl                     uint32
}

func (m message) pack(t testing.TB) []byte {
	t.Helper()
	msg := dnsmessage.Message{
		Header: dnsmessage.Header{ID: m.id, Response: !m.query, RCode: m.rcode, Truncated: m.truncated},
		Questions: []dnsmessage.Question{
			{Name: dnsmessage.MustNewName(m.name + "."), Type: m.class, Class: dnsmessage.ClassINET},
		},
	}
	for _, a := range m.answers {
		head := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(a.owner + "."), Class: dnsmessage.ClassINET, TTL: a.ttl}
		var body dnsmessage.ResourceBody
		switch {
		case a.ptr != "":
			body = &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(a.ptr + ".")}
		case a.cname != "":
			body = &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(a.cname + ".")}
		default:
			if addr := netip.MustParseAddr(a.addr); addr.Is4() {
				body = &dnsmessage.AResource{A: addr.As4()}
			} else {
				body = &dnsmessage.AAAAResource{AAAA: addr.As16()}
			}
		}
		msg.Answers = append(msg.Answers, dnsmessage.Resource{Header: head, Body: body})
	}
	b, err := msg.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
