package tls

import (
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// ext is one extension of a hello made for a test.
type ext struct {
	kind uint16
	data string
}

// hello makes a ClientHello in one record.
func hello(t testing.TB, list ...ext) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddBytes([]byte{recordHandshake, 3, 1})
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint8(clientHello)
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint16(0x303)
			b.AddBytes(make([]byte, 32))
			b.AddUint8(0)
			b.AddBytes([]byte{0, 2, 0x13, 0x01, 1, 0})
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
				for _, e := range list {
					b.AddUint16(e.kind)
					b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(e.data)) })
				}
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sni is a server_name extension with one host name.
func sni(name string) ext {
	n := len(name)
	return ext{extServerName, string([]byte{byte((n + 3) >> 8), byte(n + 3), 0, byte(n >> 8), byte(n)}) + name}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a.", 126) + "b"
	for name, want := range map[string]string{
		"WWW.Example.Test": "www.example.test",
		"example.test.":    "example.test",
		"xn--bcher-kva.de": "xn--bcher-kva.de",
		"_dmarc.a-b.test":  "_dmarc.a-b.test",
		"192.0.2.1":        "192.0.2.1", // RFC 6066 forbids it, clients send it
		"2001:db8::1":      "2001:db8::1",
		long:               long,
	} {
		var r Reader
		if h, state, err := r.Read(hello(t, sni(name))); state != Complete || h.ServerName != want {
			t.Errorf("%q: state %d, %q, %v", name, state, h.ServerName, err)
		}
	}
}

// What a server could read in another way than we do is no ClientHello.
func TestAmbiguousHellosAreRefused(t *testing.T) {
	two := sni("good.test")
	two.data = "\x00\x18" + two.data[2:] + "\x00\x00\x09evil.test"
	for what, list := range map[string][]ext{
		"two names":             {two},
		"the extension twice":   {sni("good.test"), sni("evil.test")},
		"an empty name":         {sni("")},
		"a dot alone":           {sni(".")},
		"a name that begins so": {sni(".good.test")},
		"two dots behind it":    {sni("good.test..")},
		"nothing between dots":  {sni("good..test")},
		"NUL in the name":       {sni("good.test\x00.evil.test")},
		"a blank in the name":   {sni("good.test evil")},
		"a slash in the name":   {sni("good.test/evil")},
		"a line end in it":      {sni("good.test\r\nHost: evil")},
		"octets above 127":      {sni("g\xf6\xf6d.test")},
		"a name too long":       {sni(strings.Repeat("a.", 127) + "b")},
		"another type of name":  {{extServerName, "\x00\x07\x01\x00\x04evil"}},
		"a list cut short":      {{extServerName, "\x00\x0c\x00\x00\x09good"}},
		"bytes behind the list": {{extServerName, sni("good.test").data + "x"}},
		"an empty list":         {{extServerName, "\x00\x00"}},
		"no list":               {{extServerName, ""}},
		"ALPN without a name":   {{extALPN, "\x00\x01\x00"}},
		"GREASE twice":          {{0x0a0a, ""}, sni("good.test"), {0x0a0a, ""}},
	} {
		var r Reader
		if h, state, err := r.Read(hello(t, list...)); state != Malformed || err == nil || h.ServerName != "" {
			t.Errorf("%s: state %d, %+v, %v", what, state, h, err)
		}
	}
}

func TestBrokenRecordsAreRefused(t *testing.T) {
	good := hello(t, sni("good.test"))
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = to
		return b
	}
	split := append([]byte{recordHandshake, 3, 1, 0, 2, clientHello, 0}, 23, 3, 3, 0, 1, 0)
	for what, b := range map[string][]byte{
		"an empty record":               {recordHandshake, 3, 1, 0, 0},
		"a record too long":             {recordHandshake, 3, 1, 0x40, 1},
		"another message first":         change(5, 2),
		"another record in the middle":  split,
		"a message longer than allowed": change(6, 2),
		"a session id too long":         change(5+4+34, 33),
		"an odd number of suite octets": change(5+4+34+2, 1),
	} {
		var r Reader
		if h, state, err := r.Read(b); state != Malformed || err == nil {
			t.Errorf("%s: state %d, %+v, %v", what, state, h, err)
		}
	}
}

func TestAlert(t *testing.T) {
	if got := string(AccessDenied.Append([]byte("x"))); got != "x\x15\x03\x03\x00\x02\x02\x31" {
		t.Errorf("%q", got)
	}
}
