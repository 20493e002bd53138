package acl

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

func TestForwardedAddress(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.2.3": "10.1.2.3", "10.1": "10.0.0.1", "10.1.515": "10.1.2.3", "167838211": "10.1.2.3",
		"010.1.2.3": "8.1.2.3", "0xa.0X1.2.3": "10.1.2.3", "0xb0b": "0.0.11.11", "0": "0.0.0.0", "255.255.255.255": "255.255.255.255",
		"4294967295": "255.255.255.255", "10.16777215": "10.255.255.255",
		"2001:db8::1": "2001:db8::1", "::ffff:10.0.0.1": "10.0.0.1",
		"": "", "unknown": "", "10.1.2.3:80": "", "[::1]": "", "10.1.2.256": "", "256.1.2.3": "", "1.2.3.4.5": "",
		"1.2.3.": "", ".1.2.3": "", "1..2": "", "08.1.1.1": "", "0b1.1.1.1": "", "0o7.1.1.1": "", "1_0.1.1.1": "", "0x1_0.1.1.1": "",
		"-1.1.1.1": "", "+1.1.1.1": "", "4294967296": "", "10.16777216": "", "fe80::1%eth0": "", "1.2.3.4/8": "",
	} {
		addr, ok := forwardedAddress(text)
		if ok != (want != "") || ok && addr.String() != want {
			t.Errorf("%q: %v, %v, want %q", text, addr, ok, want)
		}
	}
}

// trusting believes every proxy and counts how often it was asked.
type trusting struct{ asked int }

func (m *trusting) match(context.Context, *Facts) Ternary {
	m.asked++
	return Yes
}

// The client is the leftmost address before one that cannot be read, and no field costs
// more than maxForwarded checks.
func FuzzForwarded(f *testing.F) {
	f.Add("10.0.0.1, 10.0.0.2", true)
	f.Add("10.0.0.1, 10.0.0.2", false)
	f.Add("unknown,10.0.0.2 ,, 2001:db8::1,", true)
	f.Add(strings.Repeat("1,2,3,", 3000), true)
	f.Add(strings.Repeat("1,", maxForwarded-1)+"2", true)
	f.Add(strings.Repeat("1,", maxForwarded)+"2", true)
	f.Fuzz(func(t *testing.T, value string, known bool) {
		var req http1.Request
		req.Reset()
		if _, state := req.Parse([]byte("GET http://a.test/ HTTP/1.0\r\nX-Forwarded-For: "+value+"\r\n\r\n"), &http1.Options{}); state != http1.Complete {
			t.Skip()
		}
		m := &trusting{}
		set := &Set{FollowXForwardedFor: List{rules: []rule{{cond: Cond{refs: []ref{{match: m}}}, allow: true}}}}
		facts := &Facts{Client: netip.MustParseAddr("192.0.2.1"), Request: &req.Fields}
		want := facts.Client
		chain := string(req.Fields.AppendList(nil, http1.XForwardedFor))
		words := strings.FieldsFunc(chain, func(c rune) bool { return strings.ContainsRune(forwardedSeparators, c) })
		slices.Reverse(words)
		for i, word := range words {
			addr, ok := forwardedAddress(word)
			if !ok || i == maxForwarded || i == 1 && !known {
				break
			}
			want = addr
		}
		if got := set.IndirectClient(t.Context(), facts, known); got != want || m.asked > maxForwarded {
			t.Errorf("%q: %v after %d checks, want %v", value, got, m.asked, want)
		}
	})
}
