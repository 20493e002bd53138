package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testPlayer() *player {
	v := &values{dir: "/scratch/i0001", name: "n", start: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC),
		ports: map[string]int{"PORT": 21001, "ORIGIN": 21002, "PEER1_ICP": 21003, "PORT_B": 21004}}
	return &player{sc: &scenario{}, vals: v, clientPorts: []int{40123}, sizes: map[int]bool{329: true}, sent: map[int]bool{100: true}}
}

func TestMaskPutsPlaceholdersBack(t *testing.T) {
	p := testPlayer()
	for in, want := range map[string]string{
		"http://127.0.0.1:21002/x": "http://127.0.0.1:{ORIGIN_PORT}/x",
		"proxy.test:21001":         "proxy.test:{PORT}",
		"port 21003 and 21004":     "port {PEER1_ICP} and {PORT_B}",
		"121002 210021 21002":      "121002 210021 {ORIGIN_PORT}",
		"from 40123":               "from {CPORT}",
		"/scratch/i0001/err":       "{CONF_DIR}/err",
	} {
		if got := p.mask(in); got != want {
			t.Errorf("mask(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMaskField(t *testing.T) {
	p := testPlayer()
	for _, c := range []struct {
		in, want  string
		generated bool
	}{
		{"Date: Mon, 23 Nov 2026 04:00:05 GMT", "Date: {DATE:+5}", false},
		{"Expires: Mon, 23 Nov 2026 03:59:59 GMT", "Expires: {DATE:-1}", false},
		{"Expires: Mon, 01 Jan 1990 00:00:00 GMT", "Expires: Mon, 01 Jan 1990 00:00:00 GMT", false},
		{"Expires: 0", "Expires: 0", false},
		{"Date: Mon, 23 Xxx 2026 04:00:05 GMT", "Date: Mon, 23 Xxx 2026 04:00:05 GMT", false},
		{"Age: 17", "Age: {AGE:17}", false},
		{"Via: 1.0 proxy.test:21001 (squid/2.6.CUTTLE1)", "Via: 1.0 proxy.test:{PORT} (squid/{VERSION})", false},
		{"Server: squid/2.6.CUTTLE1", "Server: squid/{VERSION}", false},
		{"Server: Apache/2", "Server: Apache/2", false},
		{"Server: Apache/2", "Server: squid/{VERSION}", true},
		{"Content-Length: 1234", "Content-Length: {LEN}", true},
		{"Content-Length: 1234", "Content-Length: 1234", false},
		{`Proxy-Authenticate: Digest realm="r", nonce="abc"`, `Proxy-Authenticate: Digest realm="r", nonce="{NONCE}"`, false},
		{"no colon", "no colon", false},
	} {
		if got := p.maskField(c.in, c.generated); got != c.want {
			t.Errorf("maskField(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestMaskLogLine(t *testing.T) {
	p := testPlayer()
	p.sc.LogMask = [][2]string{{`^(\{TS\}) +\d+`, `\1 {MS}`}}
	for in, want := range map[string]string{
		"1163922028.042      7 127.0.0.1 TCP_MISS/200 329 GET http://127.0.0.1:21002/a - DIRECT/127.0.0.1 text/plain":                                          "{TS} {MS} 127.0.0.1 TCP_MISS/200 {RX} GET http://127.0.0.1:{ORIGIN_PORT}/a - DIRECT/127.0.0.1 text/plain",
		"1163922028.042      7 127.0.0.1 TCP_MISS/200 330 GET x - DIRECT/- -":                                                                                  "{TS} {MS} 127.0.0.1 TCP_MISS/200 330 GET x - DIRECT/- -",
		`127.0.0.1 - - [23/Nov/2026:04:00:28 +0000] "GET x HTTP/1.0" 200 329 TCP_MISS:DIRECT`:                                                                  `127.0.0.1 - - [{CLF}] "GET x HTTP/1.0" 200 {RX} TCP_MISS:DIRECT`,
		"1764000000.12  15 sizes 429 428 100 99 squid/2.6":                                                                                                     "{TS} {MS} sizes {RX+TX} {RX+TX-1} {TX} 99 squid/{VERSION}",
		"1764000000.042 RELEASE -1 FFFFFFFF 03805A84A7465C8AC9F8F6E71375B1C1  200 1795406400        -1 946684800 text/html 10/10 GET http://127.0.0.1:21002/a": "{TS} RELEASE -1 FFFFFFFF {KEY}  200 {DATE:+0}        -1 946684800 text/html 10/10 GET http://127.0.0.1:{ORIGIN_PORT}/a",
		"1764000000.042 SWAPOUT 01 0000001F 03805A84A7465C8AC9F8F6E71375B1C1   ?         ?         ?         ? ?/? ?/? ? ?":                                    "{TS} SWAPOUT 01 {FILE} {KEY}   ?         ?         ?         ? ?/? ?/? ? ?",
		"at 1764000000 and 17640000001": "at {EPOCH} and 17640000001",
	} {
		if got := p.maskLogLine(in)["line"]; got != want {
			t.Errorf("maskLogLine(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestExpand(t *testing.T) {
	v := testPlayer().vals
	for in, want := range map[string]string{
		"{ORIGIN} {ORIGIN_PORT}":  "127.0.0.1:21002 21002",
		"{FILL:3:ä}|{HEX:00ff0a}": "\xe4\xe4\xe4|\x00\xff\n",
		"{DATE:+60}":              "Mon, 23 Nov 2026 04:01:00 GMT",
		"{TIME:-1}":               "1795406399",
		"{CONF_DIR}/{NAME}":       "/scratch/i0001/n",
		"{UNKNOWN} {}":            "{UNKNOWN} {}",
	} {
		if got := v.expand(in); got != want {
			t.Errorf("expand(%q) = %q, want %q", in, got, want)
		}
	}
}

func tree(t *testing.T, s string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Each observation loses exactly the grade its difference is worth.
func TestGrades(t *testing.T) {
	const recorded = `{"steps":[{"got":[{"status":"HTTP/1.0 200 OK","headers":["Date: {DATE:+0}","X-A: 1","X-B: 2"],"body":"hello"}],"end":"closed"}],
		"origin":[{"to":"ORIGIN","conn":1,"line":"GET /a HTTP/1.0","headers":["Via: v","Host: h"]}],
		"logs":{"access.log":[{"line":"{TS} {MS} 127.0.0.1 TCP_MISS/200 {RX} GET x","ms":3}]}}`
	for _, c := range []struct {
		name, from, to string
		want           int
	}{
		{"the same", "", "", 3},
		{"a date within the slack", "{DATE:+0}", "{DATE:+2}", 3},
		{"a small age", `"X-A: 1"`, `"Age: {AGE:1}","X-A: 1"`, 3},
		{"a date beyond", "{DATE:+0}", "{DATE:+3}", 1},
		{"order of fields", `"X-A: 1","X-B: 2"`, `"X-B: 2","X-A: 1"`, 2},
		{"spelling of a name", "X-A", "x-a", 2},
		{"a missing field", `"X-A: 1",`, "", 1},
		{"the phrase", "200 OK", "200 Fine", 1},
		{"the logged size", "{RX}", "77", 1},
		{"the origin's connection", `"conn":1`, `"conn":2`, 1},
		{"the version asked with", "GET /a HTTP/1.0", "GET /a HTTP/1.1", 1},
		{"the code", "200 OK", "201 Created", 0},
		{"the body", "hello", "hallo", 0},
		{"the end", "closed", "open", 0},
		{"the target", "GET /a ", "GET /b ", 0},
		{"the tag", "TCP_MISS", "TCP_HIT", 0},
	} {
		now := tree(t, replaceOnce(t, recorded, c.from, c.to))
		got, differences := compare(tree(t, recorded), now, &scenario{}, 0)
		if got != c.want {
			t.Errorf("%s: grade %d, want %d: %v", c.name, got, c.want, differences)
		}
	}
	aged := tree(t, replaceOnce(t, replaceOnce(t, recorded, "{DATE:+0}", "{DATE:+6}"), `"X-A: 1"`, `"Age: {AGE:14}","X-A: 1"`))
	was := tree(t, replaceOnce(t, recorded, `"X-A: 1"`, `"Age: {AGE:9}","X-A: 1"`))
	for late, want := range map[int]int{0: 1, 3: 1, 4: 3} {
		if got, differences := compare(was, aged, &scenario{}, late); got != want {
			t.Errorf("%d s late: grade %d, want %d: %v", late, got, want, differences)
		}
	}
	lim := []*float64{ptr(0), ptr(2)}
	if got, _ := compare(tree(t, recorded), tree(t, recorded), &scenario{ElapsedMS: [][]*float64{lim}}, 0); got != 0 {
		t.Errorf("an elapsed time out of bounds reaches grade %d", got)
	}
}

func ptr(f float64) *float64 { return &f }

func replaceOnce(t *testing.T, s, from, to string) string {
	t.Helper()
	if from == "" {
		return s
	}
	for i := 0; i+len(from) <= len(s); i++ {
		if s[i:i+len(from)] == from {
			return s[:i] + to + s[i+len(from):]
		}
	}
	t.Fatalf("%q does not occur", from)
	return ""
}

func TestBuildConf(t *testing.T) {
	v := testPlayer().vals
	got := buildConf([]string{"visible_hostname other.test", "NO_DEFAULT_ACCESS", "http_access deny all"}, v, nil)
	want := `http_port 127.0.0.1:21001
icp_port 0
htcp_port 0
snmp_port 0
hosts_file /scratch/i0001/hosts
minimum_icp_query_timeout 2000
dns_nameservers 127.0.0.9
dns_timeout 2 seconds
dns_retransmit_interval 1 second
cache_log /scratch/i0001/cache.log
cache_store_log none
pid_filename /scratch/i0001/squid.pid
coredump_dir /scratch/i0001
error_directory /scratch/i0001
cache_mem 8 MB
shutdown_lifetime 1 second
acl all src 0.0.0.0/0.0.0.0
access_log /scratch/i0001/access.log squid
cache_dir null /scratch/i0001
visible_hostname other.test
http_access deny all
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Every scenario of the repository loads, and the lists beside them name only
// scenarios that exist.
func TestDataIsWhole(t *testing.T) {
	all, err := loadScenarios([]string{data}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 600 {
		t.Errorf("%d scenarios: some are missing", len(all))
	}
	ids := map[string]bool{}
	for _, sc := range all {
		ids[sc.id()] = true
		if sc.Observed == nil {
			t.Errorf("%s has no recording", sc.id())
		}
		for i := range sc.Steps {
			if _, err := sc.Steps[i].behaviours(); err != nil {
				t.Errorf("%s step %d: %v", sc.id(), i, err)
			}
		}
	}
	for _, entry := range readLater(t) {
		used := false
		for id := range ids {
			used = used || laterList{entry}.of(id) != ""
		}
		if !used {
			t.Errorf("later.txt: %s names no scenario", entry[0])
		}
	}
	for id := range readKept(t) {
		if !ids[id] {
			t.Errorf("kept.txt: %s names no scenario", id)
		}
	}
}
