package errpage

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Templates come from files and facts from strangers: neither breaks the other.
func FuzzTemplate(f *testing.F) {
	f.Add("<p>%U %u %R %S</p>", "GET http://o/<b> HTTP/1.0\r\nX: \"'&\r\n\r\n", "x")
	f.Add("%", "hello\r\n", "<>")
	f.Add("%%%s%", "GET / HTTP/1.0\r\n\r\n", "'")
	s, err := Load(&conf.ErrorPageSettings{}, testEnv)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, request, other string) {
		facts := &Details{Host: other, User: other, ResolverSays: other, UnparsedHead: []byte(request), UnparsedURL: []byte(other)}
		r, u := &http1.Request{}, &http1.URL{}
		r.Reset()
		if _, state := r.Parse([]byte(request), &http1.Options{Relaxed: true}); state == http1.Complete &&
			u.Parse(r.Method, r.Target, &http1.URLOptions{}) == http1.NoFault {
			facts.Request, facts.URL = r, u
			facts.LoggedURL, facts.CanonicalURL = u.AppendLogged(nil, false), u.AppendCanonical(nil)
		}
		p := &Page{Name: "ERR_MINE", set: s, template: cut(text)}
		got := p.Append(nil, facts)
		// Whatever markup there is came from the template or the signature.
		if n, most := bytes.Count(got, []byte("<")), strings.Count(text, "<")+strings.Count(signatureText, "<")*(1+strings.Count(text, "%S")); n > most {
			t.Fatalf("%d tags begin in %q, at most %d were the template's %q", n, got, most, text)
		}
		if facts.CanonicalURL == nil {
			return
		}
		redirect := &Page{Name: Name("http://e.test/?" + text), set: s, redirect: true}
		var out http1.Outgoing
		redirect.Reply(&out, facts, 403, 0)
		if n := bytes.Count(out.Append(nil), []byte("\r\n")); n != 8 {
			t.Fatalf("%d lines in the head of a redirection to %q", n, redirect.Name)
		}
	})
}
