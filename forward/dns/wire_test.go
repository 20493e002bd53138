package dns

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"pgregory.net/rapid"
)

func TestParseReply(t *testing.T) {
	const a, aaaa, ptr = dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypePTR
	ok := message{id: 7, name: "www.test", class: a}
	with := func(m message, answers ...answerRecord) message { m.answers = answers; return m }
	for name, c := range map[string]struct {
		q    question
		msg  message
		want string // "addr addr ttl", or an error
	}{
		"one": {question{"www.test", a}, with(ok, answerRecord{owner: "www.test", addr: "192.0.2.1", ttl: 60}), "192.0.2.1 1m0s"},
		"case": {question{"www.test", a}, with(message{id: 7, name: "WWW.Test", class: a},
			answerRecord{owner: "wWw.TEST", addr: "192.0.2.1", ttl: 60}), "192.0.2.1 1m0s"},
		"shortest ttl": {question{"www.test", a}, with(ok,
			answerRecord{owner: "www.test", addr: "192.0.2.1", ttl: 60}, answerRecord{owner: "www.test", addr: "192.0.2.2", ttl: 30}),
			"192.0.2.1 192.0.2.2 30s"},
		"ttl beyond 31 bits is zero": {question{"www.test", a},
			with(ok, answerRecord{owner: "www.test", addr: "192.0.2.1", ttl: 1 << 31}), "192.0.2.1 0s"},
		"cname chain in any order": {question{"www.test", a}, with(ok,
			answerRecord{owner: "c.test", addr: "192.0.2.1", ttl: 60}, answerRecord{owner: "b.test", cname: "c.test", ttl: 10},
			answerRecord{owner: "www.test", cname: "b.test", ttl: 20}), "192.0.2.1 10s"},
		"cname loop": {question{"www.test", a}, with(ok,
			answerRecord{owner: "www.test", cname: "b.test"}, answerRecord{owner: "b.test", cname: "www.test"}), "0s"},
		"record of another name is not believed": {question{"www.test", a}, with(ok,
			answerRecord{owner: "bank.test", addr: "192.0.2.66", ttl: 60}), "0s"},
		"other type is passed over": {question{"www.test", a}, with(ok,
			answerRecord{owner: "www.test", addr: "2001:db8::1", ttl: 60}, answerRecord{owner: "www.test", addr: "192.0.2.1", ttl: 61}),
			"192.0.2.1 1m1s"},
		"aaaa": {question{"www.test", aaaa}, with(message{id: 7, name: "www.test", class: aaaa},
			answerRecord{owner: "www.test", addr: "2001:db8::1", ttl: 60}), "2001:db8::1 1m0s"},
		"ptr": {question{"1.2.0.192.in-addr.arpa", ptr}, with(message{id: 7, name: "1.2.0.192.in-addr.arpa", class: ptr},
			answerRecord{owner: "1.2.0.192.in-addr.arpa", ptr: "Host.Test", ttl: 60}), "host.test 1m0s"},
		"ptr behind a cname (RFC 2317)": {question{"1.2.0.192.in-addr.arpa", ptr},
			with(message{id: 7, name: "1.2.0.192.in-addr.arpa", class: ptr},
				answerRecord{owner: "1.2.0.192.in-addr.arpa", cname: "1.0-9.2.0.192.in-addr.arpa", ttl: 9},
				answerRecord{owner: "1.0-9.2.0.192.in-addr.arpa", ptr: "host.test", ttl: 60}), "host.test 9s"},
		"no records":     {question{"www.test", a}, ok, "0s"},
		"wrong id":       {question{"www.test", a}, message{id: 8, name: "www.test", class: a}, errNotOurs.Error()},
		"wrong name":     {question{"www.test", a}, message{id: 7, name: "ww.test", class: a}, errNotOurs.Error()},
		"wrong type":     {question{"www.test", a}, message{id: 7, name: "www.test", class: aaaa}, errNotOurs.Error()},
		"not a response": {question{"www.test", a}, message{id: 7, name: "www.test", class: a, query: true}, errNotOurs.Error()},
		"truncated":      {question{"www.test", a}, message{id: 7, name: "www.test", class: a, truncated: true}, "0s truncated"},
		"nxdomain":       {question{"www.test", a}, message{id: 7, name: "www.test", class: a, rcode: 3}, "0s rcode 3"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := parseReply(c.msg.pack(t), 7, c.q)
			if got := describe(r, err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func describe(r reply, err error) string {
	if err != nil {
		return err.Error()
	}
	var words []string
	for _, addr := range r.addrs {
		words = append(words, addr.String())
	}
	if r.name != "" {
		words = append(words, r.name)
	}
	words = append(words, r.ttl.String())
	if r.truncated {
		words = append(words, "truncated")
	}
	if r.rcode != 0 {
		words = append(words, fmt.Sprintf("rcode %d", r.rcode))
	}
	return strings.Join(words, " ")
}

// Every cut of a good answer is an error or leaves something out, never more.
func TestParseReplyCut(t *testing.T) {
	q := question{"www.test", dnsmessage.TypeA}
	whole := message{id: 7, name: "www.test", class: q.class, answers: []answerRecord{
		{owner: "www.test", cname: "a.test", ttl: 1}, {owner: "a.test", addr: "192.0.2.1", ttl: 2}}}.pack(t)
	for n := range whole {
		r, err := parseReply(whole[:n], 7, q)
		if err == nil && len(r.addrs) > 0 {
			t.Errorf("the first %d octets of %d give %v", n, len(whole), r.addrs)
		}
	}
}

func TestQuestionRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.SliceOfN(rapid.StringMatching(`[a-z0-9_-]{1,20}`), 1, 8).Draw(t, "labels")
		q := question{strings.Join(labels, "."), dnsmessage.TypeA}
		id := rapid.Uint16().Draw(t, "id")
		if !askable(q.name) {
			return
		}
		b, err := appendQuestion(nil, id, q)
		if err != nil {
			t.Fatal(err)
		}
		b[2] |= 0x80 // make it a response without records
		r, err := parseReply(b, id, q)
		if err != nil || len(r.addrs) != 0 {
			t.Fatalf("%v %v", r, err)
		}
		other := question{q.name + "x", q.class}
		if _, err := parseReply(b, id, other); !errors.Is(err, errNotOurs) {
			t.Fatalf("taken for an answer to %q: %v", other.name, err)
		}
	})
}

func FuzzParseReply(f *testing.F) {
	q := question{"www.test", dnsmessage.TypeA}
	f.Add(message{id: 7, name: "www.test", class: q.class, answers: []answerRecord{
		{owner: "www.test", cname: "a.test", ttl: 1}, {owner: "a.test", addr: "192.0.2.1", ttl: 2}}}.pack(f))
	f.Add(message{id: 7, name: "www.test", class: q.class, rcode: 2}.pack(f))
	// A name that points at itself.
	f.Add([]byte("\x00\x07\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x03www\x04test\x00\x00\x01\x00\x01\xc0\x1a\x00\x01\x00\x01\x00\x00\x00\x01\x00\x04\x01\x02\x03\x04"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		for _, q := range []question{q, {"www.test", dnsmessage.TypeAAAA}, {"www.test", dnsmessage.TypePTR}} {
			r, err := parseReply(msg, 7, q)
			if err != nil {
				continue
			}
			if len(r.addrs) > maxAddrs || r.ttl < 0 || r.ttl > maxTTLValue*time.Second || r.name != "" && !askable(r.name) {
				t.Errorf("%+v", r)
			}
			for _, addr := range r.addrs {
				if q.class == dnsmessage.TypeA && !addr.Is4() {
					t.Errorf("A question gave %s", addr)
				}
			}
		}
	})
}
