package freshness

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const byRFC = "rfc9111_rules on"

// What is kept with rfc9111_rules, beside what is kept without.
func TestKeepByRFC(t *testing.T) {
	const fresh = dated + "Cache-Control: max-age=600\r\n"
	const modified = dated + "Last-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\n"
	for _, c := range []struct {
		lines, status, reply string
		with, without        Keeping
	}{
		{"", "200", fresh, KeepObject, KeepObject},
		{"", "200", dated, NeverExpiry, NeverExpiry},
		{"", "200", dated + "Cache-Control: max-age=1\r\n", KeepObject, NeverExpiry},
		{"", "200", fresh + "Pragma: no-cache\r\n", KeepObject, NeverNoCache},
		{"", "200", modified + "Cache-Control: no-cache\r\n", KeepObject, NeverNoCache},
		{"", "200", dated + "Cache-Control: no-cache, max-age=600\r\n", NeverExpiry, NeverNoCache},
		{"", "200", fresh + "Cache-Control: no-store\r\n", NeverNoStore, NeverNoStore},
		{"", "200", fresh + "Cache-Control: private\r\n", NeverPrivate, NeverPrivate},
		{"", "299", fresh, KeepObject, NeverStatus},
		{"", "303", fresh, KeepObject, NeverStatus},
		{"", "308", fresh, KeepObject, NeverStatus},
		{"", "308", modified, KeepObject, NeverStatus},
		{"", "307", modified, NeverStatus, NeverStatus},
		{"", "307", dated + "Cache-Control: max-age=0\r\n", NeverExpiry, NeverStatus},
		{"", "404", fresh, KeepObject, KeepError},
		{"", "404", dated, KeepError, KeepError},
		{"negative_ttl 0 seconds\n", "404", modified, KeepObject, NeverExpiry},
		{"negative_ttl 0 seconds\n", "503", modified, NeverExpiry, NeverExpiry},
		{"negative_ttl 0 seconds\n", "503", fresh, KeepObject, NeverExpiry},
		{"", "404", dated + "Cache-Control: no-cache\r\n", NeverExpiry, NeverNoCache},
		{"", "599", modified, NeverStatus, NeverStatus},
		{"", "599", modified + "Cache-Control: public\r\n", KeepObject, NeverStatus},
		{"", "206", fresh, NeverPartial, NeverPartial},
		{"", "304", fresh, NeverStatus, NeverStatus},
		{"", "401", fresh, NeverStatus, NeverStatus},
		{"", "416", fresh, NeverStatus, NeverStatus},
		{"", "429", fresh, NeverStatus, NeverStatus},
	} {
		if got, _ := keepOf(t, c.lines+byRFC, "GET", "", c.status, c.reply); got != c.with {
			t.Errorf("%q %s %q: %d, want %d", c.lines, c.status, c.reply, got, c.with)
		}
		if got, _ := keepOf(t, c.lines, "GET", "", c.status, c.reply); got != c.without {
			t.Errorf("%q %s %q without: %d, want %d", c.lines, c.status, c.reply, got, c.without)
		}
	}
}

// A reply to credentials is kept for others if it says so.
func TestKeepSharedByRFC(t *testing.T) {
	for directive, with := range map[string]Keeping{"public": KeepObject, "must-revalidate": KeepObject, "s-maxage=600": KeepObject, "proxy-revalidate": NeverAuth, "immutable": NeverAuth} {
		reply := dated + "Cache-Control: max-age=600, " + directive + "\r\n"
		if got, _ := keepOf(t, byRFC, "GET", "Authorization: Basic eDp5\r\n", "200", reply); got != with {
			t.Errorf("%s: %d, want %d", directive, got, with)
		}
	}
}

// Whether an object is fresh for a request with rfc9111_rules: no-cache never is, in
// whatever way it came into the store.
func TestCheckByRFC(t *testing.T) {
	fresh := Object{Timestamp: noon, Expires: noon + 600, LastModified: None, Status: 200}
	asked := fresh
	asked.Flags = AskedAlways
	for _, c := range []struct {
		lines, request string
		object         Object
		age            int64
		stale          bool
		basis          Basis
		mayFail        bool
	}{
		{byRFC, "", fresh, 599, false, ByExpiry, true},
		{byRFC, "Cache-Control: min-fresh=100", fresh, 500, false, ByExpiry, true},
		{byRFC, "Cache-Control: min-fresh=100", fresh, 501, true, ByRequestMinFresh, true},
		{"", "Cache-Control: min-fresh=100", fresh, 501, false, ByExpiry, true},
		{byRFC, "Cache-Control: no-cache", fresh, 1, true, ByReloadIntoIMS, true},
		{byRFC, "", asked, 1, true, ByNoCache, false},
		{byRFC, "Cache-Control: max-stale", asked, 1, true, ByNoCache, false},
		{"", "", asked, 1, true, ByNoCache, false},
		{"refresh_pattern . 0 20% 4320 ignore-no-cache", "", asked, 1, false, ByExpiry, true},
	} {
		r := rulesOf(t, c.lines)
		q := r.ReadRequest(requestWith(t, "GET", line(c.request)), false, Port{})
		rule := r.Of([]byte("http://o.test/a"))
		v := r.Check(rule, &c.object, &q, noon+c.age)
		if v.Stale != c.stale || v.Basis != c.basis || r.MayFailStale(rule, &c.object, noon+c.age) != c.mayFail {
			t.Errorf("%q %q after %d s: %+v", c.lines, c.request, c.age, v)
		}
	}
}

func line(field string) string {
	if field == "" {
		return ""
	}
	return field + "\r\n"
}

// A client's no-cache is asked about, and not answered from the store when the origin
// fails; without rfc9111_rules reload_into_ims answers then, as in 2.6.
func TestReloadByRFCFails(t *testing.T) {
	fresh := Object{Timestamp: noon, Expires: noon + 600, LastModified: noon - 10, Status: 200}
	for lines, want := range map[string]bool{byRFC: false, "reload_into_ims on": true} {
		r := rulesOf(t, lines)
		q := r.ReadRequest(requestWith(t, "GET", "Cache-Control: no-cache\r\n"), false, Port{})
		rule := r.Of([]byte("http://o.test/a"))
		if d := r.Decide(rule, &q, Found{Object: &fresh, HTTP: true}, noon+1); d.Action != Refresh {
			t.Errorf("%s: %+v", lines, d)
		}
		none := replyWith(t, "200", "")
		if _, _, ok := r.AfterRefresh(rule, &q, &none.Fields, &none.Fields, &fresh, nil, noon+1); ok != want {
			t.Errorf("%s: served without the origin: %v", lines, ok)
		}
	}
}

// If-Modified-Since is compared with Date where there is no Last-Modified.
func TestPreconditionByRFC(t *testing.T) {
	stored := replyWith(t, "200", dated)
	o := Object{Timestamp: noon, Expires: noon + 600, LastModified: None, Status: 200}
	for _, c := range []struct {
		lines, since string
		want         bool
	}{
		{byRFC, "Fri, 15 Jan 2027 08:00:00 GMT", true},
		{byRFC, "Fri, 15 Jan 2027 08:00:01 GMT", true},
		{byRFC, "Fri, 15 Jan 2027 07:59:59 GMT", false},
		{"", "Fri, 15 Jan 2027 08:00:00 GMT", false},
	} {
		req := requestWith(t, "GET", "If-Modified-Since: "+c.since+"\r\n")
		r := rulesOf(t, c.lines)
		q := r.ReadRequest(req, false, Port{})
		if got := r.Precondition(&q, &req.Fields, &stored.Fields, &o); got != c.want {
			t.Errorf("%q %s: %v", c.lines, c.since, got)
		}
	}
}

// Which selections find each other with rfc9111_rules.
func TestFindVariantByMeaning(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Accept-Language: en, de\r\n", "Accept-Language: en,de\r\n", true},
		{"Accept-Language: en, de\r\n", "Accept-Language:   eN ,\tDe\r\n", true},
		{"Accept-Language: en, de\r\n", "Accept-Language: de, en\r\n", false},
		{"Foo: 1,2\r\n", "Foo: 1 , 2\r\n", true},
		{"Foo: a\r\n", "Foo: A\r\n", false},
		{"Foo: 1 2\r\n", "Foo: 12\r\n", false},
		{"Foo: \"1, 2\"\r\n", "Foo: \"1,2\"\r\n", false},
		{"Foo: \"1\\\", 2\"\r\n", "Foo: \"1\\\",2\"\r\n", false},
		{"Foo: \"1\", 2\r\n", "Foo: \"1\",2\r\n", true},
		{"", "Foo:\r\n", false},
		{"Accept-Encoding: GZIP\r\n", "Accept-Encoding: gzip\r\n", true},
	} {
		var data [2][]byte
		for i, fields := range []string{c.a, c.b} {
			data[i], _ = AppendVaryData(nil, []byte("Foo, Accept-Language, Accept-Encoding"), &requestWith(t, "GET", fields).Fields)
		}
		list := AppendVariants(nil, []Variant{{Key: [16]byte{1}, Data: []string{`foo="other"`}}, {Key: [16]byte{7}, Data: []string{string(data[0])}}})
		r := Rules{ByRFC: true}
		if key, found := r.FindVariant(list, data[1]); found != c.same || found && key[0] != 7 {
			t.Errorf("%q and %q: %v", c.a, c.b, found)
		}
		r.ByRFC = false
		if _, found := r.FindVariant(list, data[1]); found != bytes.Equal(data[0], data[1]) {
			t.Errorf("%q and %q to the letter: %v", c.a, c.b, found)
		}
	}
}

// Blanks around commas make no difference, and all else does, whatever is in the values.
func TestCanonicalSelections(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		items := rapid.SliceOfN(rapid.StringMatching(`[a-cA-C;=%]{1,3}`), 1, 4).Draw(rt, "items")
		blank := func(i int) string { return rapid.SampledFrom([]string{"", " ", "  ", "\t"}).Draw(rt, "blank") }
		selection := func(items []string) string {
			var value strings.Builder
			for i, item := range items {
				if i > 0 {
					value.WriteString(blank(i) + "," + blank(i))
				}
				value.WriteString(item)
			}
			data, _ := AppendVaryData(nil, []byte("Foo"), &requestWith(t, "GET", "Foo: "+value.String()+"\r\n").Fields)
			return string(appendCanonical(nil, data))
		}
		other := rapid.SliceOfN(rapid.StringMatching(`[a-cA-C;=%]{1,3}`), 1, 4).Draw(rt, "other")
		if again := selection(items); again != selection(items) { // other blanks
			rt.Fatalf("%q", items)
		}
		if same := strings.Join(items, ",") == strings.Join(other, ","); same != (selection(items) == selection(other)) {
			rt.Fatalf("%q and %q", items, other)
		}
	})
}

func FuzzCanonicalSelection(f *testing.F) {
	for _, s := range []string{`foo="a,%20b", bar`, `accept-language="En%20,%09de"`, `foo="%22a,%20b`, `="`, `a="%5C`, `a="%2`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		once := appendCanonical(nil, []byte(data))
		if len(once) > len(data)+len(data)/3+1 {
			t.Errorf("%q grew to %q", data, once)
		}
		if again := appendCanonical(nil, once); !bytes.Equal(once, again) {
			t.Errorf("%q: %q, then %q", data, once, again)
		}
	})
}
