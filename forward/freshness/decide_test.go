package freshness

import "testing"

// What the recordings do not reach: answers while somebody refreshes, options of
// 2.7, and gateways.
func TestDecide(t *testing.T) {
	stale := Object{Timestamp: noon, Expires: noon + 10, LastModified: None, Status: 200, StaleWhileRevalidate: -1, StaleIfError: -1}
	offered, must, negative := stale, stale, stale
	offered.StaleWhileRevalidate = 60
	must.StaleWhileRevalidate, must.Flags = 60, NeverStale
	negative.Flags, negative.Status = Negative, 404
	redirect := stale
	redirect.Status = 302
	const minute = "refresh_pattern . 0 20% 4320 stale-while-revalidate=1"
	const hit = "refresh_stale_hit 30 seconds"
	old, lasting, kept := stale, stale, must
	old.Timestamp = noon - 100 // when the origin was asked last
	lasting.Timestamp, lasting.Expires = noon-100, noon+15
	kept.StaleWhileRevalidate = -1
	for _, c := range []struct {
		name, lines, request string
		found                Found
		age                  int64
		want                 Decision
	}{
		{"nothing", "", "", Found{HTTP: true}, 0, Decision{Fetch, TagMiss, LookupMiss, 0}},
		{"other variants", "", "", Found{HTTP: true, Others: true}, 0, Decision{Fetch, TagMiss, LookupMiss, 0}},
		{"disk", "", "", Found{Object: &stale, HTTP: true}, 5, Decision{Serve, TagHit, LookupHit, ByExpiry}},
		{"stale", "", "", Found{Object: &stale, HTTP: true}, 20, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"stale, not HTTP", "", "", Found{Object: &stale}, 20, Decision{Fetch, TagMiss, LookupHit, ByExpiry}},
		{"offered", "", "", Found{Object: &offered, HTTP: true}, 70, Decision{ServeStale, TagStaleHit, LookupHit, ByExpiry}},
		{"offered no longer", "", "", Found{Object: &offered, HTTP: true}, 71, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"offered, not heard", minute + " ignore-stale-while-revalidate", "", Found{Object: &offered, HTTP: true}, 75, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"offered and forbidden", "", "", Found{Object: &must, HTTP: true}, 20, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"offered, but reloaded", "", "Cache-Control: no-cache", Found{Object: &offered, HTTP: true}, 20, Decision{Fetch, TagClientRefreshMiss, LookupHit, ByReload}},
		{"offered, but too old", "", "Cache-Control: max-age=5", Found{Object: &offered, HTTP: true}, 20, Decision{Refresh, TagRefreshMiss, LookupHit, ByRequestAge}},
		{"by pattern", minute, "", Found{Object: &stale, HTTP: true}, 70, Decision{ServeStale, TagStaleHit, LookupHit, ByExpiry}},
		{"by pattern no longer", minute, "", Found{Object: &stale, HTTP: true}, 71, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"refreshing", hit, "", Found{Object: &old, HTTP: true, Refreshing: true}, 39, Decision{Serve, TagStaleHit, LookupHit, ByExpiry}},
		{"refreshing too long", hit, "", Found{Object: &old, HTTP: true, Refreshing: true}, 40, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"nobody refreshing", hit, "", Found{Object: &old, HTTP: true}, 11, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"fresh still", hit, "", Found{Object: &lasting, HTTP: true}, 14, Decision{Serve, TagHit, LookupHit, ByExpiry}},
		{"just asked", hit, "", Found{Object: &stale, HTTP: true}, 29, Decision{Serve, TagStaleHit, LookupHit, ByExpiry}},
		{"no longer just asked", hit, "", Found{Object: &stale, HTTP: true}, 30, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"just asked, and forbidden", hit, "", Found{Object: &kept, HTTP: true}, 20, Decision{Refresh, TagRefreshMiss, LookupHit, ByExpiry}},
		{"just asked, but reloaded", hit, "Cache-Control: no-cache", Found{Object: &stale, HTTP: true}, 20, Decision{Fetch, TagClientRefreshMiss, LookupHit, ByReload}},
		{"just asked, but too old", hit, "Cache-Control: max-age=5", Found{Object: &stale, HTTP: true}, 20, Decision{Refresh, TagRefreshMiss, LookupHit, ByRequestAge}},
		{"only-if-cached, offered", "", "Cache-Control: only-if-cached", Found{Object: &offered, HTTP: true}, 20, Decision{ServeStale, TagStaleHit, LookupHit, ByExpiry}},
		{"only-if-cached, stale", "", "Cache-Control: only-if-cached", Found{Object: &stale, HTTP: true, InMemory: true}, 20, Decision{Refuse, TagHit, LookupHit, ByExpiry}},
		{"only-if-cached, nothing", "", "Cache-Control: only-if-cached", Found{HTTP: true}, 20, Decision{Refuse, TagMiss, LookupMiss, 0}},
		{"a tag of its own", "", "If-Match: \"e\"", Found{Object: &stale, HTTP: true, Matches: true}, 5, Decision{Serve, TagHit, LookupHit, ByExpiry}},
		{"another tag", "", "If-Match: \"x\"", Found{Object: &stale, HTTP: true}, 5, Decision{Fetch, TagMiss, LookupHit, 0}},
		{"another tag, negative", "", "If-Match: \"x\"", Found{Object: &negative, HTTP: true}, 5, Decision{Serve, TagNegativeHit, LookupHit, ByExpiry}},
		{"tags and a redirect", "", "If-None-Match: \"x\"", Found{Object: &redirect, HTTP: true}, 5, Decision{Fetch, TagMiss, LookupHit, 0}},
		{"a date and a redirect", "", "If-Modified-Since: Fri, 15 Jan 2027 07:00:00 GMT", Found{Object: &redirect, HTTP: true}, 5, Decision{Serve, TagHit, LookupHit, ByExpiry}},
		{"tags and a redirect, by the RFC", "rfc9111_rules on", "If-None-Match: \"x\"", Found{Object: &redirect, HTTP: true}, 5, Decision{Serve, TagHit, LookupHit, ByExpiry}},
		{"negative, on its way", "", "", Found{Object: &negative, HTTP: true, Coming: true}, 5, Decision{Fetch, TagMiss, LookupHit, 0}},
		{"offline, other variants", "offline_mode on", "Pragma: no-cache", Found{HTTP: true, Others: true}, 0, Decision{Fetch, TagMiss, LookupMiss, 0}},
		{"offline, ranges in no order", "offline_mode on", "Range: bytes=5-6,1-2", Found{Object: &stale, HTTP: true}, 20, Decision{Serve, TagOfflineHit, LookupHit, 0}},
		{"offline, negative", "offline_mode on", "Pragma: no-cache", Found{Object: &negative, HTTP: true}, 5, Decision{Serve, TagNegativeHit, LookupHit, ByExpiry}},
		{"offline, reload-into-ims", "offline_mode on\nreload_into_ims on", "Pragma: no-cache", Found{Object: &negative, HTTP: true}, 5, Decision{Fetch, TagMiss, LookupHit, 0}},
		{"negative, reload-into-ims", "reload_into_ims on", "Pragma: no-cache", Found{Object: &negative, HTTP: true}, 5, Decision{Fetch, TagMiss, LookupHit, 0}},
	} {
		r := rulesOf(t, c.lines)
		fields := c.request
		if fields != "" {
			fields += "\r\n"
		}
		q := r.ReadRequest(requestWith(t, "GET", fields), false, Port{})
		if got := r.Decide(r.Of([]byte("http://o.test/a")), &q, c.found, noon+c.age); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestOldExplorerReloads(t *testing.T) {
	const conditional = "If-Modified-Since: Fri, 15 Jan 2027 07:43:20 GMT\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE "
	for _, c := range []struct {
		lines, version string
		gateway, want  bool
	}{
		{"ie_refresh on", "5.01; Windows)", true, true},
		{"ie_refresh on", "4.0; Windows)", true, true},
		{"ie_refresh on", "5.5; Windows)", true, false},
		{"ie_refresh on", "5.01; Windows)", false, false},
		{"ie_refresh off", "5.01; Windows)", true, false},
	} {
		r := rulesOf(t, c.lines)
		if q := r.ReadRequest(requestWith(t, "GET", conditional+c.version+"\r\n"), false, Port{Gateway: c.gateway}); q.Reload != c.want {
			t.Errorf("%+v: reload %v", c, q.Reload)
		}
	}
}

// A hit asks for a rule, reads the request and decides without allocating.
func TestDecideDoesNotAllocate(t *testing.T) {
	r := rulesOf(t, "refresh_pattern ^ftp: 1440 20% 10080", "refresh_pattern -i (/cgi-bin/|\\?) 0 0% 0", "refresh_pattern . 0 20% 4320")
	req := requestWith(t, "GET", "Host: o.test\r\nCache-Control: max-age=100\r\nIf-None-Match: \"x\", \"e\"\r\n")
	stored := replyWith(t, "200", "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\nETag: \"e\"\r\nCache-Control: max-age=600\r\n")
	url := []byte("http://o.test/a")
	allocations := testing.AllocsPerRun(100, func() {
		rule := r.Of(url)
		q := r.ReadRequest(req, false, Port{})
		_, o := r.Keep(rule, &q, stored, Times{noon, noon}, false)
		d := r.Decide(rule, &q, Found{Object: &o, InMemory: true, HTTP: true}, noon+1)
		if d.Tag != TagMemHit || !r.Precondition(&q, &req.Fields, &stored.Fields, &o) {
			t.Fatalf("%+v", d)
		}
	})
	if allocations > 0 && !raceEnabled {
		t.Errorf("%v allocations", allocations)
	}
}
