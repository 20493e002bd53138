package errpage

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

func TestErrorMap(t *testing.T) {
	s, err := Load(&conf.ErrorPageSettings{ErrorMap: []conf.ErrorMap{
		{URL: "http://e.test/404", Status: []int{404, 410}}, {URL: "http://e.test/any", Status: []int{404, 500}},
	}}, testEnv)
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]string{404: "http://e.test/404", 410: "http://e.test/404", 500: "http://e.test/any", 403: "", 200: ""} {
		if got := s.Mapped(status); got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
	}
}

func TestMapRequest(t *testing.T) {
	f := denied(t, "GET http://o.test/x HTTP/1.1\r\nHost: o.test\r\nCookie: a\r\nX-Mine: 1\r\nUser-Agent: me\r\nIf-None-Match: e\r\n\r\n")
	rep := &http1.Reply{}
	rep.Reset()
	if _, state := rep.Parse([]byte("HTTP/1.0 404 No\r\nServer: s\r\nSet-Cookie: b\r\nVia: 1.0 v\r\n\r\n"), true, &http1.Options{}); state != http1.Complete {
		t.Fatal(rep.Fault)
	}
	var out http1.Outgoing
	MapRequest(&out, &f.Request.Fields, &rep.Fields, 404, f.CanonicalURL)
	want := "Cookie: a\r\nUser-Agent: me\r\nServer: s\r\nVia: 1.0 v\r\nX-Error-Status: 404\r\nX-Request-URI: http://o.test/x\r\n\r\n"
	if got := string(out.Append(nil)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
