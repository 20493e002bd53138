package http1

import (
	"strings"
	"testing"
)

// The way forward builds a request, with the outcome 2.6 has for it
// (forward/get-10, headers/via-two-lines, headers/cc-mixed).
func TestOutgoingRequest(t *testing.T) {
	r, _ := parseRequest(t, "GET http://O.test:81/a HTTP/1.1\r\nx-first: 1\r\nVia: 1.0 a\r\nHost: wrong\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"+
		"Via: 1.1 b\r\nCache-Control: max-stale=5, foo=bar\r\nuser-agent: me\r\n\r\n", relaxed)
	var u URL
	if u.Parse(r.Method, r.Target, &defaults) != NoFault {
		t.Fatal("URL")
	}
	var o Outgoing
	for i := range r.Len() {
		switch id := r.ID(i); {
		case hopByHop(id), r.ConnectionLists(r.Key(i)), id == Via, id == CacheControlName:
		case id == Host:
			o.Set(u.AppendAuthority(o.Pieces())).End(Host)
		default:
			o.Copy(&r.Fields, i)
		}
	}
	o.List(&r.Fields, Via).Int(int64(r.Major)).Text(".").Int(int64(r.Minor)).Text(" proxy.test:3128 (squid/x)").End(Via)
	o.List(&r.Fields, XForwardedFor).Text("10.1.2.3").End(XForwardedFor)
	cc := r.CacheControl()
	cc.SetMaxAge(259200)
	o.Set(cc.Append(o.Pieces())).End(CacheControlName)
	o.AddString(Connection, "keep-alive")
	got := string(o.Append(AppendRequestLine(nil, r.MethodText, u.AppendTarget(nil), 0)))
	want := "GET /a HTTP/1.0\r\nx-first: 1\r\nHost: o.test:81\r\nUser-Agent: me\r\nVia: 1.0 a, 1.1 b, 1.1 proxy.test:3128 (squid/x)\r\n" +
		"X-Forwarded-For: 10.1.2.3\r\nCache-Control: max-age=259200, max-stale=5, foo=bar\r\nConnection: keep-alive\r\n\r\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestOutgoingEdits(t *testing.T) {
	r, _, _ := parseReply(t, "HTTP/1.1 302 Found\r\nServer: x\r\nSet-Cookie: a\r\nX-Own: 1\r\nset-cookie: b\r\n\r\n", relaxed)
	own, _, _ := parseReply(t, "HTTP/1.1 200 OK\r\nx-Any: v\r\n\r\n", relaxed)
	var o Outgoing
	for range 2 { // the second round reuses the storage of the first
		o.Reset()
		for i := range r.Len() {
			o.Copy(&r.Fields, i)
		}
		o.Remove(SetCookie)
		o.AddInt(Age, 17)
		o.Add(XCache, []byte("MISS\r\nEvil: 1\x00"))
		o.Copy(&own.Fields, 0)
		o.AddString(Server, "y")
		o.SetAt(0, []byte("changed"))
		o.RemoveAt(1)
		got := string(o.Append(AppendStatusLine(nil, 0, r.Status)))
		want := "HTTP/1.0 302 Moved Temporarily\r\nServer: changed\r\nAge: 17\r\nX-Cache: MISS  Evil: 1 \r\nx-Any: v\r\nServer: y\r\n\r\n"
		if got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	if !o.Has(Age) || o.Has(SetCookie) || string(o.Get(Age)) != "17" || o.Get(SetCookie) != nil || o.Len() != 5 || o.ID(1) != Age {
		t.Error("lookups")
	}
	if v, ok := o.AppendNamed(nil, "server"); !ok || string(v) != "changed" {
		t.Errorf("AppendNamed: %q %v", v, ok)
	}
	if strings.Count(string(AppendStatusLine(nil, 1, 200)), "HTTP/1.1 200 OK\r\n") != 1 {
		t.Error("status line of 1.1")
	}
}
