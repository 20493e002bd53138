package freshness

import (
	"bytes"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// surrogate reads Surrogate-Control as a surrogate of the name edge.
func surrogate(t *testing.T, remote bool, text string) (Control, bool) {
	t.Helper()
	rep, _ := parseReply(t, "HTTP/1.1 200 OK\r\nCache-Control: max-age=5, no-cache\r\nPragma: no-cache\r\n"+text+"\r\n")
	r := &Rules{Surrogate: "edge", SurrogateRemote: remote}
	return r.readReply(&rep.Fields, true)
}

func TestSurrogateControl(t *testing.T) {
	aged := func(n int32) Control { return Control{Set: MaxAge, MaxAge: n} }
	never := Control{Set: NoStore}
	unheard := Control{Set: MaxAge | NoCache, MaxAge: 5}
	for _, c := range []struct {
		text          string
		local, remote Control
	}{
		{"", unheard, unheard},
		{"Surrogate-Control: max-age=600\r\n", aged(600), aged(600)},
		{"surrogate-control: Max-Age=600 , content=\"ESI/1.0\"\r\n", aged(600), aged(600)},
		{"Surrogate-Control: content=\"ESI/1.0, max-age=9\"\r\n", unheard, unheard},
		{"Surrogate-Control: max-age=\r\n", unheard, unheard},
		{"Surrogate-Control: max-age=x\r\n", unheard, unheard},
		{"Surrogate-Control: max-age=10, max-age=20\r\n", aged(10), aged(10)},
		{"Surrogate-Control: no-store\r\n", never, never},
		{"Surrogate-Control: no-store-remote\r\n", unheard, never},
		{"Surrogate-Control: no-store-remote, max-age=7\r\n", aged(7), Control{Set: NoStore | MaxAge, MaxAge: 7}},
		{"Surrogate-Control: max-age=10;edge, max-age=20\r\n", aged(10), aged(10)},
		{"Surrogate-Control: max-age=20\r\nSurrogate-Control: max-age=10; edge\r\n", aged(10), aged(10)},
		{"Surrogate-Control: no-store;other, max-age=20\r\n", aged(20), aged(20)},
		{"Surrogate-Control: no-store;EDGE\r\n", unheard, unheard},
		{"Surrogate-Control: max-age=60+30\r\n", Control{Set: MaxAge | StaleWhileRevalidate | StaleIfError, MaxAge: 60, StaleWhileRevalidate: 30, StaleIfError: 30},
			Control{Set: MaxAge | StaleWhileRevalidate | StaleIfError, MaxAge: 60, StaleWhileRevalidate: 30, StaleIfError: 30}},
		{"Surrogate-Control: max-age=60+x\r\n", aged(60), aged(60)},
	} {
		for _, remote := range []bool{false, true} {
			want := c.local
			if remote {
				want = c.remote
			}
			got, targeted := surrogate(t, remote, c.text)
			if got != want || targeted != (want != unheard) {
				t.Errorf("%q, remote %v: %+v, targeted %v, want %+v", c.text, remote, got, targeted, want)
			}
		}
	}
	rep, _ := parseReply(t, "HTTP/1.1 200 OK\r\nSurrogate-Control: max-age=600\r\n\r\n")
	if _, targeted := new(Rules).readReply(&rep.Fields, true); targeted {
		t.Error("one that is no surrogate heard it")
	}
	if _, targeted := (&Rules{Surrogate: "edge"}).readReply(&rep.Fields, false); targeted {
		t.Error("a port that is no accelerator's heard it")
	}
}

// What is for others, or says nothing about keeping, changes nothing.
func FuzzSurrogateControl(f *testing.F) {
	for _, seed := range []string{"max-age=600", "max-age=60+30;edge, no-store", `content="a,b;c";d`, "no-store-remote", "=;=,", "max-age=99999999999999999999", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		if bytes.ContainsAny(value, "\"\r\n\x00\\") {
			return
		}
		read := func(value []byte) (Control, bool) {
			var rep http1.Reply
			rep.Reset()
			head := append(append([]byte("HTTP/1.1 200 OK\r\nSurrogate-Control: "), value...), "\r\n\r\n"...)
			if _, state := rep.Parse(head, true, &http1.Options{MaxHead: len(head) + 1}); state != http1.Complete {
				return Control{}, false
			}
			return (&Rules{Surrogate: "edge", SurrogateRemote: true}).readSurrogate(&rep.Fields)
		}
		got, heard := read(value)
		more, again := read(append(bytes.Clone(value), ", no-store;somebody, content=x"...))
		if got != more || heard != again || heard != (got.Set != 0) {
			t.Errorf("%q: %+v %v, with what is not for us %+v %v", value, got, heard, more, again)
		}
	})
}
