package freshness

import "testing"

const dated = "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n" // noon

func keepOf(t *testing.T, lines, method, request, status, reply string) (Keeping, Object) {
	t.Helper()
	r := rulesOf(t, lines)
	q := r.ReadRequest(requestWith(t, method, request), false, Port{})
	return r.Keep(r.Of([]byte("http://o.test/a")), &q, replyWith(t, status, reply), Times{noon, noon}, false)
}

func TestKeep(t *testing.T) {
	const fresh = dated + "Cache-Control: max-age=600\r\n"
	const auth = "Authorization: Basic eDp5\r\n"
	with := func(directive string) string { return dated + "Cache-Control: max-age=600, " + directive + "\r\n" }
	pattern := func(option string) string { return "refresh_pattern . 0 20% 4320 " + option }
	for _, c := range []struct {
		lines, method, request, status, reply string
		want                                  Keeping
	}{
		{"", "GET", "", "200", fresh, KeepObject},
		{"", "HEAD", "", "200", fresh, KeepObject},
		{"", "POST", "", "200", fresh, NeverMethod},
		{"", "OPTIONS", "", "200", fresh, NeverMethod},
		{"", "GET", "Cache-Control: no-store\r\n", "200", fresh, NeverNoStore},
		{pattern("ignore-no-store"), "GET", "Cache-Control: no-store\r\n", "200", fresh, KeepObject},
		{"", "GET", "", "200", with("no-store"), NeverNoStore},
		{pattern("ignore-no-store"), "GET", "", "200", with("no-store"), KeepObject},
		{"", "GET", "", "200", with("no-store, must-understand"), KeepObject},
		{"", "GET", "", "303", with("no-store, must-understand"), NeverNoStore},
		{"", "GET", "", "303", with("must-understand"), NeverNotUnderstood},
		{"", "GET", "", "200", with("private"), NeverPrivate},
		{"", "GET", "", "200", with(`private="X"`), NeverPrivate},
		{pattern("ignore-private"), "GET", "", "200", with("private"), KeepObject},
		{"", "GET", "", "200", with("no-cache"), NeverNoCache},
		{"", "GET", "", "200", fresh + "Pragma: no-cache\r\n", NeverNoCache},
		{pattern("ignore-no-cache"), "GET", "", "200", with("no-cache") + "Pragma: no-cache\r\n", KeepObject},
		{"", "GET", auth, "200", fresh, NeverAuth},
		{"", "GET", auth, "200", with("must-revalidate"), NeverAuth},
		{"", "GET", auth, "200", with("public"), KeepObject},
		{pattern("ignore-auth"), "GET", auth, "200", fresh, KeepObject},
		{"", "GET", "", "200", fresh + "Vary: Accept\r\n", KeepObject},
		{"", "GET", "", "200", fresh + "Vary: Accept, *\r\n", NeverVary},
		{"", "HEAD", "", "200", fresh + "Vary: Accept\r\n", NeverVary},
		{"rfc9111_rules on", "HEAD", "", "200", fresh + "Vary: Accept\r\n", KeepObject},
		{"cache_vary off", "GET", "", "200", fresh + "Vary: Accept\r\n", NeverVary},
		{"", "GET", "", "200", fresh + "Content-Type: Multipart/X-Mixed-Replace; boundary=x\r\n", NeverMixed},
		{"", "GET", "", "206", fresh + "Content-Range: bytes 0-2/3\r\n", KeepObject},
		{"", "GET", "", "206", fresh + "Content-Range: bytes 0-1/3\r\n", NeverPartial},
		{"", "GET", "", "206", fresh + "Content-Range: bytes 0-2/*\r\n", NeverPartial},
		{"", "GET", "", "200", dated, NeverExpiry},
		{"", "GET", "", "200", dated + "Last-Modified: Fri, 15 Jan 2027 07:00:00 GMT\r\n", KeepObject},
		{"", "GET", "", "200", dated + "Cache-Control: max-age=60\r\n", NeverExpiry},
		{"", "GET", "", "200", dated + "Cache-Control: max-age=61\r\n", KeepObject},
		{"", "GET", "", "200", dated + "Cache-Control: max-age=60\r\nETag: \"e\"\r\n", KeepObject},
		{"", "GET", "", "200", dated + "Cache-Control: max-age=60\r\nETag: \"e\"\r\nContent-Length: 0\r\n", KeepObject},
		{"minimum_expiry_time 0 seconds", "GET", "", "200", dated + "Cache-Control: max-age=1\r\n", KeepObject},
		{"minimum_expiry_time 0 seconds", "GET", "", "200", dated + "Cache-Control: max-age=0\r\n", NeverExpiry},
		{"", "GET", "", "302", fresh, KeepObject},
		{"", "GET", "", "302", dated, NeverExpiry},
		{"", "GET", "", "302", dated + "Cache-Control: max-age=0\r\n", NeverExpiry},
		{"", "GET", "", "307", fresh, NeverStatus},
		{"", "GET", "", "404", dated, KeepError},
		{"", "GET", "", "599", fresh, NeverStatus},
		{"negative_ttl 0 seconds", "GET", "", "404", dated, NeverExpiry},
		{"negative_ttl 0 seconds", "GET", "", "404", fresh, NeverExpiry},
		{"negative_ttl 0 seconds\n" + pattern("negative-ttl=2"), "GET", "", "404", dated, KeepError},
		{pattern("negative-ttl=0"), "GET", "", "404", dated, NeverExpiry},
	} {
		if got, _ := keepOf(t, c.lines, c.method, c.request, c.status, c.reply); got != c.want {
			t.Errorf("%q %s %q %s %q: %d, want %d", c.lines, c.method, c.request, c.status, c.reply, got, c.want)
		}
	}
}

// Which status codes are kept as objects, as errors, and never (status-cache-*).
func TestKeepByStatus(t *testing.T) {
	as := map[Keeping][]int{
		KeepObject: {200, 203, 300, 301, 302, 410},
		KeepError:  {204, 305, 400, 403, 404, 405, 414, 500, 501, 502, 503, 504},
	}
	want := map[int]Keeping{206: NeverPartial}
	for keeping, list := range as {
		for _, status := range list {
			want[status] = keeping
		}
	}
	r := rulesOf(t)
	q := r.ReadRequest(requestWith(t, "GET", ""), false, Port{})
	rep := replyWith(t, "200", dated+"Cache-Control: max-age=600\r\n")
	for rep.Status = 0; rep.Status < 1000; rep.Status++ {
		expected, listed := want[rep.Status]
		if !listed {
			expected = NeverStatus
		}
		keeping, o := r.Keep(r.Of(nil), &q, rep, Times{noon, noon}, false)
		if keeping != expected {
			t.Errorf("%d: %d, want %d", rep.Status, keeping, expected)
		}
		if o.Has(Negative) != (keeping == KeepError) || keeping == KeepError && o.Expires != noon+300 {
			t.Errorf("%d: %+v", rep.Status, o)
		}
	}
}

func TestKeepFromPeer(t *testing.T) {
	r := rulesOf(t, "refresh_pattern . 10 20% 4320")
	q := r.ReadRequest(requestWith(t, "GET", ""), false, Port{})
	for _, peer := range []bool{false, true} {
		keeping, _ := r.Keep(r.Of(nil), &q, replyWith(t, "200", ""), Times{noon, noon}, peer)
		if keeping.Never() != peer {
			t.Errorf("undated, from a peer %v: %d", peer, keeping)
		}
		if keeping, _ := r.Keep(r.Of(nil), &q, replyWith(t, "200", dated), Times{noon, noon}, peer); keeping.Never() {
			t.Errorf("dated, from a peer %v: %d", peer, keeping)
		}
	}
}

func TestDescribe(t *testing.T) {
	const hour = "Expires: Fri, 15 Jan 2027 09:00:00 GMT\r\n"
	for _, c := range []struct {
		lines, reply       string
		timestamp, expires int64
	}{
		{"", dated, noon, None},
		{"", "", noon, None},
		{"", dated + hour, noon, noon + 3600},
		{"", hour, noon, noon + 3600},
		{"", dated + "Expires: 0\r\n", noon, noon},
		{"", dated + hour + "Cache-Control: max-age=5\r\n", noon, noon + 5},
		{"", dated + "Cache-Control: max-age=5, s-maxage=7\r\n", noon, noon + 7},
		{"", "Cache-Control: max-age=5\r\n", noon, noon},
		{"", dated + "Expires: Fri,  15 Jan 2027 09:00:00 GMT\r\n", noon, noon},
		{"", dated + "Expires: Fri, 15-Jan-2027 09:00:00 GMT\r\n", noon, noon},
		{"", dated + "Expires: Fri, 15 Jan 2027 9:00:00 GMT\r\n", noon, noon},
		{"", dated + "Expires: Friday, 15-Jan-27 09:00:00 GMT\r\n", noon, noon + 3600},
		{"", dated + "Expires: Fri Jan 15 09:00:00 2027\r\n", noon, noon + 3600},
		{"", dated + hour + hour, noon, noon},
		{"", dated + "Age: 20.5\r\nCache-Control: max-age=100\r\n", noon, noon + 100},
		{"", dated + "Age: 20, 0\r\nCache-Control: max-age=100\r\n", noon - 20, noon + 80},
		{"", dated + "Age: 99999999999\r\nCache-Control: max-age=100\r\n", noon - 2147483647, noon + 100 - 2147483647},
		{"", dated + "Age: 20\r\nCache-Control: max-age=100\r\n", noon - 20, noon + 80},
		{"", "Date: Fri, 15 Jan 2027 07:59:30 GMT\r\nCache-Control: max-age=100\r\n", noon - 30, noon + 70},
		{"", "Date: Fri, 15 Jan 2027 07:59:30 GMT\r\nAge: 40\r\nCache-Control: max-age=100\r\n", noon - 40, noon + 60},
		{"", "Date: Fri, 15 Jan 2027 08:30:00 GMT\r\nCache-Control: max-age=100\r\n", noon, noon + 100},
		{"", "Date: Fri, 15 Jan 2027 08:30:00 GMT\r\n" + hour, noon, noon + 1800},
		{"", dated + "Expires: Fri, 15 Jan 2027 08:00:00 GMT\r\nVary: A\r\n", noon, noon},
		{"vary_ignore_expire on", dated + "Expires: Fri, 15 Jan 2027 08:00:00 GMT\r\nVary: A\r\n", noon, None},
		{"vary_ignore_expire on", dated + "Expires: Fri, 15 Jan 2027 08:00:00 GMT\r\n", noon, noon},
		{"vary_ignore_expire on", dated + hour + "Vary: A\r\n", noon, noon + 3600},
	} {
		o := rulesOf(t, c.lines).Describe(replyWith(t, "200", c.reply), Times{noon, noon})
		if o.Timestamp != c.timestamp || o.Expires != c.expires {
			t.Errorf("%q %q: made %d, expires %d, want %d and %d, from noon", c.lines, c.reply, o.Timestamp-noon, o.Expires-noon, c.timestamp-noon, c.expires-noon)
		}
	}
}

// RFC 9213: in front of origins CDN-Cache-Control takes the place of what is for all
// caches; an empty one does not.
func TestTargetedControl(t *testing.T) {
	r := rulesOf(t)
	for _, c := range []struct {
		reply       string
		accelerated bool
		keeping     Keeping
		expires     int64
	}{
		{"CDN-Cache-Control: max-age=600\r\nCache-Control: no-store\r\nPragma: no-cache\r\nExpires: 0\r\n", true, KeepObject, noon + 600},
		{"CDN-Cache-Control: max-age=600\r\nCache-Control: no-store\r\n", false, NeverNoStore, None},
		{"CDN-Cache-Control: no-store\r\nCache-Control: max-age=600\r\n", true, NeverNoStore, None},
		{"CDN-Cache-Control: private\r\nExpires: Fri, 15 Jan 2027 09:00:00 GMT\r\n", true, NeverPrivate, None},
		{"CDN-Cache-Control: max-age=600, &&&\r\nCache-Control: no-store\r\n", true, NeverNoStore, None},
		{"CDN-Cache-Control: max-age=\"600\"\r\nCache-Control: no-store\r\n", true, NeverNoStore, None},
		{"CDN-Cache-Control: max-age=600;x=1\r\nCache-Control: no-store\r\n", true, KeepObject, noon + 600},
		{"CDN-Cache-Control: max-age=600, private;x=\"a;b\"\r\n", true, NeverPrivate, noon + 600},
		{"CDN-Cache-Control: no-store=?0, max-age=600\r\nCache-Control: no-store\r\n", true, KeepObject, noon + 600},
		{"CDN-Cache-Control: no-store=?1, max-age=600\r\n", true, NeverNoStore, noon + 600},
		{"CDN-Cache-Control: foo\r\nCache-Control: max-age=600\r\n", true, KeepObject, noon + 600},
	} {
		q := r.ReadRequest(requestWith(t, "GET", ""), false, Port{Accelerated: c.accelerated})
		keeping, o := r.Keep(r.Of(nil), &q, replyWith(t, "200", dated+c.reply), Times{noon, noon}, false)
		if keeping != c.keeping || o.Expires != c.expires {
			t.Errorf("%q, accelerated %v: %d, expires %d, want %d and %d", c.reply, c.accelerated, keeping, o.Expires, c.keeping, c.expires)
		}
	}
}

// The time an answer took counts as age only beside an Age: RFC 9111 section 4.2.3.
func TestDescribeCountsTheDelay(t *testing.T) {
	r := rulesOf(t)
	for reply, want := range map[string]int64{dated: noon, dated + "Age: 5\r\n": noon - 5,
		dated + "Age: 99999999999999999999\r\n": noon - 1<<31 + 1, dated + "Age: 5x\r\n": noon} {
		if o := r.Describe(replyWith(t, "200", reply), Times{Requested: noon, Received: noon + 4}); o.Timestamp != want {
			t.Errorf("%q: made at noon%+d, want noon%+d", reply, o.Timestamp-noon, want-noon)
		}
	}
}
