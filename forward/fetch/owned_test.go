package fetch

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// What the proxy asks for itself goes out in nobody's name, and its connection is
// kept for others.
func TestGet(t *testing.T) {
	heads := make(chan string, 10)
	at := listen(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			heads <- head
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\npage")
		}
	})
	r := newRig(t, "")
	for range 2 {
		var fields http1.Outgoing
		fields.AddString(http1.UserAgent, "cuttle")
		o, why := r.env.Get(t.Context(), &r.policy, "http://"+at+"/e?x=1", &fields, acl.Facts{})
		if why != nil {
			t.Fatal(why)
		}
		body, err := io.ReadAll(reading{&o.Fetch})
		if string(body) != "page" || err != nil || o.Reply.Status != 200 {
			t.Errorf("%d %q, %v", o.Reply.Status, body, err)
		}
		o.Close()
		want := "GET /e?x=1 HTTP/1.0\r\nUser-Agent: cuttle\r\nVia: 0.0 proxy.test:1 (squid)\r\nX-Forwarded-For: unknown\r\n" +
			"Host: " + at + "\r\nCache-Control: max-age=259200\r\nConnection: keep-alive\r\n\r\n"
		if head := <-heads; head != want {
			t.Errorf("%q, want %q", head, want)
		}
		if n := r.env.Pool.Len(); n != 1 {
			t.Errorf("%d connections kept", n)
		}
	}
}

// What cannot be asked for leaves nothing behind.
func TestGetFails(t *testing.T) {
	r := newRig(t, "")
	for url, side := range map[string]failure.Side{
		"nonsense": failure.Client, "urn:x": failure.Us, "cache_object://h/info": failure.Us,
		"http://127.0.0.1:1/": failure.NextHop, "http://h/\x00": failure.Client,
	} {
		o, why := r.env.Get(t.Context(), &r.policy, url, new(http1.Outgoing), acl.Facts{})
		if why == nil {
			o.Close()
			t.Errorf("%q was fetched", url)
		} else if why.Side != side {
			t.Errorf("%q: %v", url, why)
		}
	}
}

// The end of the context ends a fetch that waits for a head, or for a body.
func TestContextEndsFetch(t *testing.T) {
	asked := make(chan bool)
	at := listen(t, func(c *net.TCPConn, r *bufio.Reader) {
		if head, err := readHead(r); err != nil {
			return
		} else if strings.Contains(head, "/body") {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		}
		asked <- true
		io.Copy(io.Discard, c)
	})
	r := newRig(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, why := r.env.Get(ctx, &r.policy, "http://"+at+"/head", new(http1.Outgoing), acl.Facts{})
	if why == nil || why.Repeat != failure.Never {
		t.Errorf("waiting for the head: %v", why)
	}
	ctx, cancel = context.WithCancel(t.Context())
	o, why := r.env.Get(ctx, &r.policy, "http://"+at+"/body", new(http1.Outgoing), acl.Facts{})
	if why != nil {
		t.Fatal(why)
	}
	go func() { <-asked; cancel() }()
	body, err := io.ReadAll(reading{&o.Fetch})
	if string(body) != "half" || err == nil || err == io.ErrUnexpectedEOF {
		t.Errorf("waiting for the body: %q, %v", body, err)
	}
	o.Close()
	if n := r.env.Pool.Len(); n != 0 {
		t.Errorf("%d connections kept", n)
	}
}

// A copy of a request is what goes out whatever becomes of the original.
func TestCopyViewsNothing(t *testing.T) {
	r := newRig(t, "")
	f := new(Fetch)
	f.Init()
	buf := make([]byte, 0, 1024)
	for _, text := range []string{
		"GET http://user@Host.test:81/p?q#f HTTP/1.1\r\nHost: x\r\nCookie: a\r\n folded\r\nX-Own: 1\r\nVia: 1.0 other\r\nConnection: X-Own, keep-alive\r\nCache-Control: no-cache\r\n\r\n",
		"HEAD http://[2001:db8::1]/ HTTP/1.0\r\n\r\n",
		"GET http://h.test HTTP/1.0\r\nAccept: */*\r\n\r\n",
	} {
		req, in := understood(t, text, buf)
		head := func(f *Fetch, r2 *Request) string {
			f.Begin(t.Context(), &r.env, &r.policy, r2)
			if why := f.Choose(); why != nil {
				t.Fatal(why)
			}
			f.hop = &f.hops[0]
			return string(f.requestHead(nil))
		}
		want, canonical := head(f, req), string(req.CanonicalURL)
		o := Own()
		o.Copy(req)
		// Everything the original viewed is overwritten by another request.
		for i := range in {
			in[i] = '#'
		}
		clear(req.CanonicalURL)
		*req.URL, *req.Fields, *req.Facts, *req = http1.URL{}, http1.Fields{}, acl.Facts{}, Request{}
		if got := head(&o.Fetch, &o.request); got != want || string(o.request.CanonicalURL) != canonical {
			t.Errorf("%q, want %q", got, want)
		}
		o.Close()
		f.Reset()
	}
}

// A fetch that is given back knows nothing of what it was asked.
func TestOwnedForgets(t *testing.T) {
	r := newRig(t, "")
	o := Own()
	o.Init() // so that it cannot be the one that is taken next
	req, _ := understood(t, "GET http://h.test/secret HTTP/1.0\r\nCookie: secret\r\n\r\n", nil)
	o.Copy(req)
	o.Start(t.Context(), &r.env, &r.policy)
	o.Close()
	if o.request.Fields != nil || o.facts.URL != nil || o.stop != nil || o.parsed.Len() != 0 || len(o.url.Path) != 0 || o.Begun() {
		t.Errorf("%+v", o.ownedState)
	}
	if !reflect.ValueOf(o.state).IsZero() {
		t.Errorf("%+v", o.state)
	}
}

// reading reads a body to its end.
type reading struct{ f *Fetch }

func (r reading) Read(p []byte) (int, error) {
	piece, err := r.f.Next(len(p), true)
	return copy(p, piece), err
}
