package conf

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/cuttle-proxy/cuttle/parser"
)

// sameConfig compares what two Configs mean: places and source texts apart.
var sameConfig = cmp.Options{
	cmpopts.IgnoreTypes(parser.Pos{}),
	cmp.Transformer("patterns", func(l Regexes) []Regex { return slices.Collect(l.All()) }),
	cmpopts.IgnoreFields(Config{}, "Path", "HostNames"),
	cmpopts.IgnoreFields(ACL{}, "Lines", "overlaps"),
	cmpopts.IgnoreFields(AccessRule{}, "Text"),
	cmpopts.IgnoreFields(ACLRef{}, "ACL"),      // each ACL is compared once, in ACLs
	cmpopts.IgnoreFields(DelayPool{}, "early"), // what no class came for
	cmpopts.EquateEmpty(),
	cmp.Exporter(func(reflect.Type) bool { return true }),
}

// checkDump dumps, reads the dump, and compares; dumped again it is the same text.
func checkDump(t interface{ Errorf(string, ...any) }, name string, cfg *Config, w World) {
	text := cfg.Dump(true)
	again, report := LoadText("dump.conf", text, Options{World: w})
	if again == nil || report.Exit != 0 {
		t.Errorf("%s: the dump is refused: %v\n%s", name, report.Lines, text)
		return
	}
	if diff := cmp.Diff(cfg, again, sameConfig); diff != "" {
		t.Errorf("%s: the dump means something else (-file +dump):\n%s", name, diff)
	}
	if second := again.Dump(true); !bytes.Equal(text, second) {
		t.Errorf("%s: the dump of the dump differs (-first +second):\n%s", name, cmp.Diff(string(text), string(second)))
	}
}

// TestDumpRecordings dumps the accepted recordings, a third of them each day.
func TestDumpRecordings(t *testing.T) {
	worlds := map[string]oracleWorld{}
	n := 0
	share, day := 3, int(time.Now().Unix()/86400) // another third each day
	if os.Getenv("CUTTLE_FULL") != "" {
		share = 1
	}
	for i, rec := range readRecordings(t) {
		if i%share != day%share {
			continue
		}
		if _, ok := worlds[rec.group]; !ok {
			worlds[rec.group] = newOracleWorld(t, rec.group)
		}
		w := worlds[rec.group]
		cfg, report := LoadText("squid.conf", latin1(rec.Conf), Options{World: w})
		if cfg == nil || report.Exit != 0 {
			continue
		}
		checkDump(t, rec.Name, cfg, w)
		n++
	}
	t.Logf("%d configurations dumped and read again", n)
}

// sampleValues are values of all grammars; a property test puts them behind every directive.
var sampleValues = []string{"on", "off", "0", "7", "-3", "0x10", "5 minutes", "1.5 hours", "10 KB", "none", "1.2.3.4", "/tmp/x", "word",
	"allow all", "deny !all", "deny net", "\"a b\" c\\\"d", "a b c", "text # with words", "7 allow all", "0x20 all", "1.2.3.4 all", "heap LFUDA", "strip",
	"ufs /tmp 100 16 256 max-size=5", "null /dev/null", "x 404 503", "ERR_X all net", "User-Agent deny all", "All deny all", "X-Foo some text",
	"p2 parent 3128 0 no-query weight=3 login=a%20b:c monitorsize=1,5", "p allow all", "p .a.com,!.b.com", "p sibling .a", "dynamic 81 password=abc", "standard 0",
	"80 protocol=udp flags=dst_ip_hash,ports_source priority=3 ports=80,443", "1.2.3.4:80 one.oracle.test", "8080 accel vhost vport=81 defaultsite=x", "1", "1 2", "1 100/200 3/4",
	"1 allow net", "basic program /bin/cat \"a b\"", "digest realm A realm", "ntlm keep_alive off", "e ttl=5 %SRC %{A:;b} /bin/cat \"x y\"", "-i \\.gif 1 20% 3 ignore-auth",
	"f %>a \"%{A:b}>h\" [%tl] %%", "/tmp/log squid all", "/tmp/log f net", "net2 src 10.0.0.0/8 10.1.2.3-10.1.2.9 all", "d dstdomain .a.com b.com", "t time MTW 08:00-10:00 S",
	"r url_regex -i a b +i c", "h req_header Foo -i a +i b", "u ident -i REQUIRED foo", "m arp 00:11:22:33:44:55", "c max_user_ip -s 4", "y type accel", "q port 80 1-5", "secret info"}

// TestDumpProperty dumps configurations of random lines.
func TestDumpProperty(t *testing.T) {
	w := oracle(t)
	names := directiveNames()
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString(head + "acl net src 10.9.0.0/16\ncache_peer p parent 80 0\nwccp2_service dynamic 80\ndelay_pools 2\ndelay_class 1 2\nlogformat f %ts\n")
		kept := b.String()
		for range rapid.IntRange(1, 25).Draw(t, "lines") {
			line := rapid.SampledFrom(names).Draw(t, "name") + " " + rapid.SampledFrom(sampleValues).Draw(t, "value") + "\n"
			// Lines that end the run are left out, so that the others are tried together.
			if cfg, report := LoadText("squid.conf", []byte(kept+line), Options{World: w}); cfg != nil && report.Exit == 0 {
				kept += line
			}
		}
		cfg, report := LoadText("squid.conf", []byte(kept), Options{World: w})
		if cfg == nil {
			t.Fatalf("refused: %v\n%s", report.Lines, kept)
		}
		checkDump(t, "random file\n"+kept, cfg, w)
	})
}

func TestDumpMasksSecrets(t *testing.T) {
	cfg, _ := loadText(t, head+"http_access deny all\ncachemgr_passwd geheim all\ncachemgr_passwd disable shutdown\ncache_peer p parent 80 0 login=joe:geheim\n"+
		"cache_peer q parent 80 0 login=PASS\nwccp2_service dynamic 80 password=geheim\n")
	text := string(cfg.Dump(false))
	if strings.Contains(text, "geheim") {
		t.Errorf("a secret shows:\n%s", text)
	}
	for _, want := range []string{"cachemgr_passwd disable shutdown", "login=joe:" + Masked, "login=PASS", "password=" + Masked} {
		if !strings.Contains(text, want) {
			t.Errorf("dump lacks %q", want)
		}
	}
	if _, report := loadText(t, text); !report.Accepted() {
		t.Errorf("the masked dump does not parse: %v", report.Lines)
	}
}

// TestDumpLongLines: what a file says over many lines with backslashes fits into the
// pieces a dump is read in.
func TestDumpLongLines(t *testing.T) {
	many := func(word string) string { return strings.Repeat(" "+word+" \\\n#comment\n", 3000) + " all\n" }
	for _, lines := range []string{
		"acl a ident -i" + many("REQUIRED"),
		"acl a req_header X" + many("pattern"),
		"acl a src 10.0.0.0/8" + many("10.1.1.1"),
		"deny_info ERR_X" + many("all"),
		"mail_program x" + many("####"),
		"mail_program " + strings.Repeat("#######\\\n", 3000) + "x\n",
	} {
		cfg, report := loadText(t, head+lines)
		if cfg == nil || report.Exit != 0 {
			t.Errorf("%.40q is refused: %v", lines, report.Lines)
			continue
		}
		checkDump(t, lines[:20], cfg, oracle(t))
	}
}
