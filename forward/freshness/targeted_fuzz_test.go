package freshness

import (
	"bytes"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// What a parameter says means nothing here, so that one more changes nothing.
func FuzzDictionary(f *testing.F) {
	for _, seed := range []string{"max-age=600", "max-age=600;x=1, private", `private="a,b;c";d`, "no-store=?0", "&&&", "a=", `a="\"`, ";", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		members, ok := dictionary(list)
		if len(members) > len(list)+1 {
			t.Errorf("%q became %q", list, members)
		}
		if !ok || len(list) == 0 || bytes.ContainsAny(list, "\",;= \t\r\n\v\f") {
			return
		}
		with, ok := dictionary(append(bytes.Clone(list), ";x=1"...))
		if !ok || !bytes.Equal(with, members) {
			t.Errorf("%q: %q, and with a parameter %q", list, members, with)
		}
	})
}

// Whatever a reply says, numbers are in bounds, a field for others changes nothing, and
// what is for an accelerator alone is nothing to a proxy.
func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{
		"Cache-Control: max-age=600, private", "CDN-Cache-Control: max-age=10\r\nCache-Control: no-store", "CDN-Cache-Control: &&&\r\nPragma: no-cache",
		"Surrogate-Control: max-age=60+30;edge\r\nCDN-Cache-Control: no-store", "Cache-Control: max-age=\"9\", s-maxage=99999999999, max-stale", "Cache-Control:\r\n no-cache",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, fields []byte) {
		head := append(append([]byte("HTTP/1.1 200 OK\r\n"), fields...), "\r\n\r\n"...)
		var rep http1.Reply
		rep.Reset()
		options := http1.Options{MaxHead: len(head) + 1, Relaxed: true}
		if _, state := rep.Parse(head, true, &options); state != http1.Complete {
			return
		}
		plain, surrogate := &Rules{}, &Rules{Surrogate: "edge"}
		for _, r := range []*Rules{plain, surrogate} {
			own, targeted := r.readReply(&rep.Fields, false)
			if targeted || own != ReadControl(&rep.Fields) {
				t.Errorf("%q: a proxy reads %+v, targeted %v", fields, own, targeted)
			}
			c, targeted := r.readReply(&rep.Fields, true)
			if targeted && c.Set == 0 {
				t.Errorf("%q: targeted by nothing", fields)
			}
			if min(c.MaxAge, c.SMaxAge, c.MinFresh, c.StaleWhileRevalidate, c.StaleIfError) < 0 || c.MaxStale < -1 {
				t.Errorf("%q: %+v", fields, c)
			}
			if targeted {
				continue
			}
			if c != own {
				t.Errorf("%q: an accelerator reads %+v, a proxy %+v", fields, c, own)
			}
		}
	})
}
