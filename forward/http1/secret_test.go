package http1

import "testing"

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
