package http1

import (
	"strings"
	"testing"
)

// lines renders fields as "Name: value" joined by "|".
func lines(f *Fields) string {
	var b strings.Builder
	for i := range f.Len() {
		if i > 0 {
			b.WriteByte('|')
		}
		b.Write(f.Key(i))
		b.WriteString(": ")
		b.Write(f.Value(i))
	}
	return b.String()
}

// What a relaxed and a strict parser make of a field block. Most are facts of
// 2.6 (areas headers and badreq); where 2.6 passed on what two parsers may read
// in two ways, the comment says so.
func TestFields(t *testing.T) {
	const bad = "(refused)"
	for _, c := range []struct{ name, block, relaxed, strict string }{
		{"plain", "X-A: 1\r\nX-B: 2\r\n", "X-A: 1|X-B: 2", "X-A: 1|X-B: 2"},
		{"spelling", "x-weird-CASE: 1\r\nuser-AGENT: x\r\nACCEPT: y\r\n", "x-weird-CASE: 1|User-Agent: x|Accept: y", "x-weird-CASE: 1|User-Agent: x|Accept: y"},
		{"odd canonical names", "te: 1\r\nETAG: 2\r\nproxy-SUPPORT: 3\r\nwww-authenticate: 4\r\nCONTENT-md5: 5\r\nx-accelerator-vary: 6\r\n",
			"Te: 1|ETag: 2|Proxy-support: 3|WWW-Authenticate: 4|Content-MD5: 5|x-accelerator-vary: 6",
			"Te: 1|ETag: 2|Proxy-support: 3|WWW-Authenticate: 4|Content-MD5: 5|x-accelerator-vary: 6"},
		{"no colon", "nonsense\r\nX: 1\r\n", "X: 1", bad},
		{"empty name", ": v\r\nX: 1\r\n", "X: 1", bad},
		{"only colon", ":\r\n", "", bad},
		{"blanks before colon", "X-Odd : v\r\nCookie \t: c\r\n", "X-Odd: v|Cookie: c", bad},
		{"blanks around value", "X-Sp:    lots   of  space   \r\nUser-Agent:\tx\t\r\n", "X-Sp: lots   of  space|User-Agent: x", "X-Sp: lots   of  space|User-Agent: x"},
		{"empty values", "X-Empty:\r\nUser-Agent: \r\n", "X-Empty: |User-Agent: ", "X-Empty: |User-Agent: "},
		{"colons in value", "X-A:b:c\r\nX-::d\r\n", "X-A: b:c|X-: :d", "X-A: b:c|X-: :d"},
		{"latin-1 and control in value", "X-L: \xe4\xf6\x01\r\n", "X-L: \xe4\xf6\x01", "X-L: \xe4\xf6\x01"},
		{"bare LF", "X-A: 1\nX-B: 2\n", "X-A: 1|X-B: 2", "X-A: 1|X-B: 2"},
		{"CR CR LF", "X-A: a\r\r\nX-B: 2\r\n", "X-A: a|X-B: 2", bad},
		{"bare CR", "X-A: a\rb\r\n", "X-A: a b", bad},
		{"NUL", "X-A: a\x00b\r\n", bad, bad},
		// 2.6 passes the line break on; RFC 9112 section 5.2 wants blanks.
		{"folded", "X-A: a\r\n  b\r\n\tc\r\nX-B: 2\r\n", "X-A: a    b  \tc|X-B: 2", "X-A: a    b  \tc|X-B: 2"},
		{"folded name", "X-A\r\n : b\r\nX-B: 2\r\n", "X-A: b|X-B: 2", bad},
		{"blank continuation", "X-A: a\r\n \r\nX-B: 2\r\n", bad, bad},
		// 2.6 passes it on behind the request line, which it then continues.
		{"first line begins with a blank", " X-A: a\r\nX-B: 2\r\n", bad, bad},
		// 2.6 passes these names on; no strict parser accepts them.
		{"blank in name", "Bad Name: v\r\nX: 1\r\n", "X: 1", bad},
		{"no token", "X@Y: v\r\nX\x01Z: 2\r\n\xe9: 8\r\nX: 1\r\n", "X: 1", "X: 1"},
		{"second equal length", "Content-Length: 3\r\nContent-Length: 3\r\n", "Content-Length: 3", bad},
		{"second host", "Host: a\r\nHost: b\r\n", bad, bad},
		{"differing lengths", "Content-Length: 3\r\nContent-Length: 5\r\n", bad, bad},
		{"folded length", "Content-Length:\r\n 3\r\n", bad, bad},
		{"folded coding", "Transfer-Encoding:\r\n chunked\r\n", bad, bad},
		{"folded host", "Host: a\r\n b\r\n", bad, bad},
		{"list of lengths", "Content-Length: 3, 3\r\n", bad, bad},
		{"hexadecimal length", "Content-Length: 0x3\r\n", bad, bad},
		{"signed lengths", "Content-Length: +3\r\n", bad, bad},
		{"negative length", "Content-Length: -3\r\n", bad, bad},
		{"length with a tail", "Content-Length: 3abc\r\n", bad, bad},
		{"endless length", "Content-Length: 99999999999999999999999\r\n", bad, bad},
		{"empty length", "Content-Length:\r\n", bad, bad},
		{"length with inner blank", "Content-Length: 1 0\r\n", bad, bad},
		{"length with CR", "Content-Length: 1\r0\r\n", bad, bad},
		{"disguised length", "Content-Length\x01: 3\r\n", bad, bad},
		{"disguised length 2", "Content_Length: 3\r\n", bad, bad},
		{"disguised coding", "Transfer Encoding: chunked\r\n", bad, bad},
		{"disguised coding 2", "\vTransfer-Encoding: chunked\r\n", bad, bad},
		{"disguised coding 3", "Transfer-Encoding\xa0: chunked\r\n", bad, bad},
		{"similar but harmless", "Content-Lengths: 3\r\nContentLength: 3\r\nX-Content-Length: 3\r\n", "Content-Lengths: 3|ContentLength: 3|X-Content-Length: 3", "Content-Lengths: 3|ContentLength: 3|X-Content-Length: 3"},
	} {
		for mode, want := range map[*Options]string{relaxed: c.relaxed, strict: c.strict} {
			text := "POST http://o/ HTTP/1.1\r\n" + c.block + "\r\n"
			r, state := parseRequest(t, text, mode)
			got := bad
			if state == Complete {
				got = lines(&r.Fields)
			}
			if got != want {
				t.Errorf("%s (relaxed %v): %q, want %q", c.name, mode.Relaxed, got, want)
			}
			if string(r.Head) != text {
				t.Errorf("%s: received bytes were changed to %q", c.name, r.Head)
			}
		}
	}
}

func TestFieldLookups(t *testing.T) {
	r, _ := parseRequest(t, "GET http://o/ HTTP/1.1\r\nVia: 1.0 a\r\nX-One: 1\r\nvia:\r\nVIA: 1.1 b\r\nx-one: 2\r\nCookie: a=1\r\nCookie: b=2\r\nConnection: close, X-Hop ,Content-Length\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n", relaxed)
	if got := string(r.AppendList([]byte("<"), Via)); got != "<1.0 a, 1.1 b" {
		t.Errorf("AppendList: %q", got)
	}
	if r.Count(Via) != 3 || !r.Has(Cookie) || r.Has(Age) || r.Get(Age) != nil || string(r.Get(Via)) != "1.0 a" {
		t.Errorf("count %d", r.Count(Via))
	}
	for name, want := range map[string]string{"X-ONE": "1, 2", "via": "1.0 a, , 1.1 b", "cookie": "a=1", "X-Hop": "1", "Nope": "", "Age": ""} {
		got, ok := r.AppendNamed(nil, name)
		if string(got) != want || ok != (want != "") {
			t.Errorf("AppendNamed %s: %q %v, want %q", name, got, ok, want)
		}
	}
	if string(r.GetOther("x-hop")) != "1" || r.GetOther("x-hope") != nil {
		t.Error("GetOther")
	}
	if !r.ListHas(Connection, "CLOSE") || r.ListHas(Connection, "clos") {
		t.Error("ListHas")
	}
	for i := range r.Len() {
		hop := string(r.Key(i)) == "X-Hop"
		if r.ConnectionLists(r.Key(i)) != hop {
			t.Errorf("ConnectionLists %s: %v", r.Key(i), !hop)
		}
	}
	r.Delete(Via)
	r.Delete(ContentLength)
	if r.Has(Via) || r.Count(Via) != 0 || r.ContentLength() != -1 || r.Get(Cookie) == nil {
		t.Errorf("after Delete: %s", lines(&r.Fields))
	}
	if got := string((&Fields{}).AppendLines(nil)); got != "" {
		t.Errorf("AppendLines: %q", got)
	}
}

func TestNames(t *testing.T) {
	longest := 0
	for slot := range nameSlot {
		n := 0
		for id := nameSlot[slot]; id != Other; id = nameNext[id] {
			n++
		}
		longest = max(longest, n)
	}
	if longest > 3 {
		t.Errorf("a chain of %d names makes lookups slow", longest)
	}
	for id := Other + 1; id < numNames; id++ {
		if nameText[id] == "" {
			t.Fatalf("name %d has no spelling", id)
		}
		for _, s := range []string{nameText[id], strings.ToUpper(nameText[id]), strings.ToLower(nameText[id])} {
			if LookupNameString(s) != id || LookupName([]byte(s)) != id {
				t.Errorf("%s is not found", s)
			}
		}
		if LookupNameString(nameText[id]+"x") != Other || LookupNameString(nameText[id][1:]) == id {
			t.Errorf("%s: a longer or shorter name is taken for it", nameText[id])
		}
	}
	if LookupNameString("") != Other || Other.String() != "" || Name(255).String() != "" {
		t.Error("edges")
	}
}
