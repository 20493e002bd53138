package dns

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"pgregory.net/rapid"
)

// chain is a message with n CNAME records from www.test to an address.
func chain(n int) message {
	m := message{id: 7, name: "www.test", class: dnsmessage.TypeA}
	owner := "www.test"
	for i := range n {
		next := fmt.Sprintf("c%d.test", i)
		m.answers = append(m.answers, answerRecord{owner: owner, cname: next, ttl: 60})
		owner = next
	}
	m.answers = append(m.answers, answerRecord{owner: owner, addr: "192.0.2.1", ttl: 60})
	return m
}

func TestChains(t *testing.T) {
	www := func(answers ...answerRecord) message {
		return message{id: 7, name: "www.test", class: dnsmessage.TypeA, answers: answers}
	}
	cname := func(owner, target string, ttl uint32) answerRecord {
		return answerRecord{owner: owner, cname: target, ttl: ttl}
	}
	addr := func(owner, text string, ttl uint32) answerRecord {
		return answerRecord{owner: owner, addr: text, ttl: ttl}
	}
	for name, c := range map[string]struct {
		m    message
		want string
	}{
		"as long as we follow": {chain(maxChain - 1), "192.0.2.1 1m0s"},
		"longer":               {chain(maxChain), "1m0s"},
		"to itself":            {www(cname("www.test", "www.test", 9)), "9s"},
		"to itself in capitals": {www(cname("www.test", "WWW.TEST", 9)),
			"9s"},
		"a loop that never meets the question": {www(cname("www.test", "b.test", 9), cname("b.test", "c.test", 9), cname("c.test", "b.test", 9)), "9s"},
		"an address on the way ends it": {www(cname("www.test", "b.test", 9), addr("www.test", "192.0.2.7", 60), addr("b.test", "192.0.2.1", 60)),
			"192.0.2.7 9s"},
		"two ways: the first counts": {www(cname("www.test", "b.test", 60), cname("www.test", "c.test", 1), addr("c.test", "192.0.2.66", 60),
			addr("b.test", "192.0.2.1", 50)), "192.0.2.1 50s"},
		"the end is missing":                    {www(cname("www.test", "b.test", 60), addr("c.test", "192.0.2.66", 60)), "1m0s"},
		"a way from elsewhere":                  {www(cname("x.test", "www.test", 1), addr("www.test", "192.0.2.1", 60)), "192.0.2.1 1m0s"},
		"the way back is not followed":          {www(cname("b.test", "www.test", 60), addr("b.test", "192.0.2.66", 60)), "0s"},
		"a ttl of zero in the middle":           {www(cname("www.test", "b.test", 0), addr("b.test", "192.0.2.1", 60)), "192.0.2.1 0s"},
		"a ttl beyond 31 bits":                  {www(cname("www.test", "b.test", 1<<31), addr("b.test", "192.0.2.1", 60)), "192.0.2.1 0s"},
		"the longest ttl":                       {www(addr("www.test", "192.0.2.1", 1<<31-1)), "192.0.2.1 " + (time.Second * (1<<31 - 1)).String()},
		"a shorter ttl of another name":         {www(addr("www.test", "192.0.2.1", 60), addr("b.test", "192.0.2.66", 1)), "192.0.2.1 1m0s"},
		"a name below the one asked for":        {www(addr("a.www.test", "192.0.2.66", 60)), "0s"},
		"a name above the one asked for":        {www(addr("test", "192.0.2.66", 60)), "0s"},
		"an IPv4 address twice: kept as it was": {www(addr("www.test", "192.0.2.1", 60), addr("www.test", "192.0.2.1", 60)), "192.0.2.1 192.0.2.1 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := parseReply(c.m.pack(t), 7, question{"www.test", dnsmessage.TypeA})
			if got := describe(r, err); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// No more addresses are kept of a name than the bound, and no more records read.
func TestAnswersAreBounded(t *testing.T) {
	m := message{id: 7, name: "www.test", class: dnsmessage.TypeA}
	for i := range maxRecords + 10 {
		m.answers = append(m.answers, answerRecord{owner: "www.test", addr: fmt.Sprintf("10.0.%d.%d", i/256, i%256), ttl: 60})
	}
	r, err := parseReply(m.pack(t), 7, question{"www.test", dnsmessage.TypeA})
	if err != nil || len(r.addrs) != maxAddrs {
		t.Errorf("%d addresses, %v", len(r.addrs), err)
	}
	for i := range maxRecords { // what counts stands behind records of others
		m.answers[i].owner = "x.test"
	}
	if r, err := parseReply(m.pack(t), 7, question{"www.test", dnsmessage.TypeA}); err != nil || len(r.addrs) != 0 {
		t.Errorf("%d addresses behind the last record looked at, %v", len(r.addrs), err)
	}
}

// Whatever records come in whatever order, an address is taken exactly when CNAME
// records lead from the question to its owner and no nearer owner has one, and no
// record used lives shorter than the answer.
func TestChainModel(t *testing.T) {
	names := []string{"a.test", "b.test", "c.test", "d.test"}
	rapid.Check(t, func(rt *rapid.T) {
		m := message{id: 7, name: "a.test", class: dnsmessage.TypeA}
		for i := range rapid.IntRange(0, 8).Draw(rt, "n") {
			a := answerRecord{owner: rapid.SampledFrom(names).Draw(rt, "owner"), ttl: rapid.Uint32Range(0, 9).Draw(rt, "ttl")}
			if rapid.Bool().Draw(rt, "cname") {
				a.cname = rapid.SampledFrom(names).Draw(rt, "target")
			} else {
				a.addr = fmt.Sprintf("192.0.2.%d", i)
			}
			if rapid.Bool().Draw(rt, "capitals") {
				a.owner = strings.ToUpper(a.owner)
			}
			m.answers = append(m.answers, a)
		}
		var want []string
		ttl, used, at := uint32(0), false, "a.test"
		for range names {
			next := ""
			for _, a := range m.answers {
				if strings.ToLower(a.owner) != at || a.cname != "" && next != "" {
					continue
				}
				if a.cname != "" {
					next = a.cname
				} else {
					want = append(want, a.addr)
				}
				if !used || a.ttl < ttl {
					ttl, used = a.ttl, true
				}
			}
			if len(want) > 0 || next == "" {
				break
			}
			at = next
		}
		r, err := parseReply(m.pack(t), 7, question{"a.test", dnsmessage.TypeA})
		var got []string
		for _, a := range r.addrs {
			got = append(got, a.String())
		}
		if err != nil || strings.Join(got, " ") != strings.Join(want, " ") || len(want) > 0 && r.ttl != time.Duration(ttl)*time.Second {
			rt.Fatalf("%v %v %v, want %v for %ds of %+v", got, r.ttl, err, want, ttl, m.answers)
		}
	})
}
