package http1

import (
	"bytes"
	"slices"
	"testing"
)

// What a log shows of a request has its credentials left out, but for those of Digest.
func TestLoggedFieldsHaveNoPasswords(t *testing.T) {
	for value, want := range map[string]string{
		"Basic am9lOnB3":                  "Basic ***",
		"basic   am9lOnB3":                "basic ***",
		"Negotiate YII=":                  "Negotiate ***",
		"am9lOnB3":                        "***",
		"Basic\tam9lOnB3":                 "***",
		`Digest username="joe", nc=1`:     `Digest username="joe", nc=1`,
		"Basic am9lOnB3\tfolded am9lOnB3": "Basic ***",
	} {
		for _, name := range []string{"Authorization", "Proxy-Authorization"} {
			var r Request
			r.Reset()
			head := "GET / HTTP/1.0\r\n" + name + ": " + value + "\r\nHost: a\r\n\r\n"
			if _, state := r.Parse([]byte(head), &Options{}); state != Complete {
				t.Fatalf("%q: %v", head, state)
			}
			if got := string(r.AppendLogged(nil)); got != name+": "+want+"\r\nHost: a\r\n" {
				t.Errorf("%q", got)
			}
			if got := string(AppendLoggedHead(nil, []byte(head))); got != "GET / HTTP/1.0\r\n"+name+": "+want+"\r\nHost: a\r\n\r\n" {
				t.Errorf("%q", got)
			}
		}
	}
}

// Whatever stands around them, credentials are not in what is logged of a head.
func FuzzLoggedHead(f *testing.F) {
	f.Add([]byte("GET http://a/ HTTP/1.0\r\nAuthorization: Digest username=x"), []byte(" folded\r\n\r\n"))
	f.Add([]byte("Authorization:\r\n\tBasic"), []byte("\tx\n"))
	f.Add([]byte(":"), []byte(""))
	const secret = "c2VjcmV0OnNlY3JldA=="
	f.Fuzz(func(t *testing.T, before, behind []byte) {
		if bytes.Contains(before, []byte(secret)) || bytes.Contains(behind, []byte(secret)) {
			return
		}
		head := slices.Concat(before, []byte("\r\nProxy-Authorization: Basic "+secret+"\r\n "+secret+"\r\n"), behind)
		if logged := AppendLoggedHead(nil, head); bytes.Contains(logged, []byte(secret)) {
			t.Errorf("%q is logged as %q", head, logged)
		}
	})
}
