package fetch

import (
	"strings"
	"testing"
)

// A sibling is asked for what it has with only-if-cached, but not when it is only asked
// whether it has something, and its answer tells. By its own name this peer is a sibling.
func TestOnlyARequestHasOnlyIfCached(t *testing.T) {
	r := newRig(t, "cache_peer 127.0.0.1 parent 81 0 no-query\nneighbor_type_domain 127.0.0.1 sibling 127.0.0.1\nnever_direct allow all")
	f := new(Fetch)
	f.Init()
	req, _ := understood(t, "GET http://h.test/ HTTP/1.0\r\nCookie: a\r\n\r\n", nil)
	f.Begin(t.Context(), &r.env, &r.policy, req)
	if why := f.Choose(); why != nil {
		t.Fatal(why)
	}
	f.hop = &f.hops[0]
	if head := string(f.requestHead(nil)); !strings.Contains(head, ", only-if-cached\r\n") {
		t.Errorf("a request: %q", head)
	}
	lines := string(f.AppendLines(nil, f.hop.Peer))
	if strings.Contains(lines, "only-if-cached") || !strings.Contains(lines, "Cookie: a\r\n") || strings.Contains(lines, "Connection") {
		t.Errorf("a question: %q", lines)
	}
}
