package dns

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/net/dns/dnsmessage"
)

type machine struct{ conf.Offline }

func (machine) Hostname() (name, canonical string) { return "proxy.test", "proxy.test" }
func (machine) UserExists(string) bool             { return true }
func (machine) GroupExists(string) bool            { return true }

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// configured are the options lines of squid.conf come to, with two servers and no
// hosts file unless the lines say otherwise.
func configured(t *testing.T, lines string) Options {
	t.Helper()
	path := write(t, "squid.conf", "http_port 3128\nacl all src 0.0.0.0/0.0.0.0\ndns_nameservers 192.0.2.1 192.0.2.2\nhosts_file none\n"+lines+"\n")
	cfg, report := conf.Load(path, conf.Options{World: machine{}})
	if cfg == nil {
		t.Fatalf("refused: %+v", report.Lines)
	}
	o := FromConfig(cfg, zap.NewNop())
	o.IPv6 = noIPv6
	return o.withDefaults()
}

// Silent servers are asked when and as long as squid.conf says.
func TestDirectivesOfTime(t *testing.T) {
	for lines, want := range map[string]string{
		"":                      "0s:1:a.test 5s:2:a.test 10s:1:a.test 20s:2:a.test 30s:1:a.test 50s:2:a.test 1m10s:1:a.test 1m50s:2:a.test end 2m0s",
		"dns_timeout 7 seconds": "0s:1:a.test 5s:2:a.test end 7s",
		"dns_retransmit_interval 2 seconds\ndns_timeout 10 seconds":   "0s:1:a.test 2s:2:a.test 4s:1:a.test 8s:2:a.test end 10s",
		"dns_retransmit_interval 1 minute\ndns_timeout 30 seconds":    "0s:1:a.test end 30s",
		"dns_nameservers 192.0.2.3\ndns_timeout 6 seconds":            "0s:1:a.test 5s:2:a.test end 6s",
		"dns_retransmit_interval 10 seconds\ndns_timeout 15 seconds":  "0s:1:a.test 10s:2:a.test end 15s",
		"dns_retransmit_interval 20 seconds\ndns_timeout 10 seconds ": "0s:1:a.test end 10s",
	} {
		o := configured(t, lines)
		synctest.Test(t, func(t *testing.T) {
			net := &script{answer: func(int, question) (reply, error) { return reply{}, errSilent }}
			begun := time.Now()
			_, err := newAsker(&o, net).ask(t.Context(), question{"a.test", dnsmessage.TypeA})
			var failed *Error
			if got := net.String() + " end " + time.Since(begun).String(); got != want || !errors.As(err, &failed) || failed.Kind != TimedOut {
				t.Errorf("%q: %v\n%s, want\n%s", lines, err, got, want)
			}
		})
	}
}

// What is remembered, how long and how much of it, is squid.conf's to say.
func TestDirectivesOfMemory(t *testing.T) {
	answers := func(ttl time.Duration) func(int, question) (reply, error) {
		return func(int, question) (reply, error) {
			r, err := with("192.0.2.9", "192.0.2.10")
			r.ttl = ttl
			return r, err
		}
	}
	missing := func(int, question) (reply, error) { return code(dnsmessage.RCodeNameError) }
	for _, c := range []struct {
		lines  string
		answer func(int, question) (reply, error)
		kept   time.Duration
	}{
		{"", answers(100 * time.Hour), 6 * time.Hour},
		{"positive_dns_ttl 10 minutes", answers(100 * time.Hour), 10 * time.Minute},
		{"positive_dns_ttl 10 minutes", answers(2 * time.Minute), 2 * time.Minute},
		{"", answers(time.Second), time.Minute},
		{"negative_dns_ttl 10 seconds", answers(time.Second), 10 * time.Second},
		{"", missing, time.Minute},
		{"negative_dns_ttl 10 seconds", missing, 10 * time.Second},
	} {
		o := configured(t, c.lines)
		inBubble(t, o, c.answer, func(t *testing.T, cache *Cache, net *script) {
			for i, wait := range []time.Duration{0, c.kept - 1, 1} {
				time.Sleep(wait)
				cache.Addrs(t.Context(), "a.test")
				if want := []int{1, 1, 2}[i]; len(net.log) != want {
					t.Errorf("%q: asked %d times after %v, want %d", c.lines, len(net.log), wait, want)
				}
			}
		})
	}
	for lines, want := range map[string]string{
		"":                           "192.0.2.9 192.0.2.10",
		"balance_on_multiple_ip off": "192.0.2.9 192.0.2.9",
	} {
		inBubble(t, configured(t, lines), answers(time.Hour), func(t *testing.T, cache *Cache, _ *script) {
			var first []string
			for range 2 {
				a, err := cache.Addrs(t.Context(), "a.test")
				if err != nil {
					t.Fatal(err)
				}
				first = append(first, strings.Fields(list(a))[0])
			}
			if got := strings.Join(first, " "); got != want {
				t.Errorf("%q: %s, want %s", lines, got, want)
			}
		})
	}
	o := configured(t, "ipcache_size 100\nipcache_high 80\nipcache_low 70\nfqdncache_size 50\nhost_verify_memory 2 hours\nudp_outgoing_address 192.0.2.77")
	got := []any{o.AddrEntries, o.AddrHigh, o.AddrLow, o.NameEntries, o.VerifyMemory, o.Local.String()}
	if diff := cmp.Diff([]any{100, 80, 70, 50, 2 * time.Hour, "192.0.2.77"}, got); diff != "" {
		t.Error(diff)
	}
}

// dns_aaaa decides about IPv6 addresses; auto leaves it to what the host has and to
// what clients want.
func TestDirectiveOfAAAA(t *testing.T) {
	for _, c := range []struct {
		lines             string
		host, wanted, ask bool
	}{
		{"", false, false, false}, {"", true, false, true}, {"", false, true, true},
		{"dns_aaaa auto", true, false, true},
		{"dns_aaaa on", false, false, true},
		{"dns_aaaa off", true, true, false},
	} {
		path := write(t, "squid.conf", "http_port 3128\nacl all src 0.0.0.0/0.0.0.0\ndns_nameservers 192.0.2.1\nhosts_file none\n"+c.lines+"\n")
		cfg, report := conf.Load(path, conf.Options{World: machine{}})
		if cfg == nil {
			t.Fatalf("refused: %+v", report.Lines)
		}
		o := FromConfig(cfg, zap.NewNop())
		if o.IPv6 == nil {
			o.IPv6 = func() bool { return c.host }
		}
		inBubble(t, o, func(_ int, q question) (reply, error) { return reply{}, nil }, func(t *testing.T, cache *Cache, net *script) {
			cache.sawIPv6.Store(c.wanted)
			cache.Look(t.Context(), "a.test")
			if asked := len(net.log) == 2; asked != c.ask {
				t.Errorf("%q, host %v, clients %v: asked %v", c.lines, c.host, c.wanted, net.log)
			}
		})
	}
}

// hosts_file answers without any server, its short names completed by append_domain.
func TestDirectiveOfHosts(t *testing.T) {
	hosts := write(t, "hosts", "192.0.2.7 short fixed.test\nnonsense x.test\n")
	for lines, want := range map[string]string{
		"hosts_file " + hosts:                                "192.0.2.7 -",
		"hosts_file " + hosts + "\nappend_domain .corp.test": "- 192.0.2.7",
		"hosts_file none":                                    "- -",
		"hosts_file " + hosts + "-absent":                    "- -",
	} {
		o := configured(t, lines)
		var got []string
		for _, name := range []string{"short", "short.corp.test"} {
			addr := "-"
			if a := o.Hosts.addrs[name]; len(a) > 0 {
				addr = a[0].String()
			}
			got = append(got, addr)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", lines, got, want)
		}
	}
}

// Without dns_nameservers resolv.conf names the servers; dns_defnames alone makes
// its search list count.
func TestServersAndSearchList(t *testing.T) {
	path := write(t, "resolv.conf", "nameserver 192.0.2.53\nnameserver ::1\nnameserver host.test\nsearch a.test b.test\noptions ndots:2\n")
	for _, defnames := range []bool{false, true} {
		core, logs := observer.New(zap.InfoLevel)
		var o Options
		o.readResolvConf(path, defnames, zap.New(core))
		var want []string
		if defnames {
			want = []string{"a.test", "b.test"}
		}
		servers := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53"), netip.MustParseAddrPort("[::1]:53")}
		if diff := cmp.Diff(servers, o.Servers, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" || o.Dots != 2 {
			t.Errorf("%s, %d dots", diff, o.Dots)
		}
		if diff := cmp.Diff(want, o.Search); diff != "" {
			t.Errorf("dns_defnames %v: %s", defnames, diff)
		}
		if n := logs.FilterMessageSnippet("rejecting").FilterField(zap.String("server", "host.test")).Len(); n != 1 {
			t.Errorf("a server that is a name was told of %d times", n)
		}
	}
	o := configured(t, "dns_nameservers 192.0.2.3 host.test")
	var got []string
	for _, s := range o.Servers {
		got = append(got, s.String())
	}
	if strings.Join(got, " ") != "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53" || o.Search != nil {
		t.Errorf("servers %v, search list %v", got, o.Search)
	}
}
