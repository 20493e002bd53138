package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A skimmed file has everything but what stands far down in its lists, and of src lists
// that too where it says which families are meant.
func TestSkim(t *testing.T) {
	dir := t.TempDir()
	list := func(name string, line func(i int) string) string {
		var b strings.Builder
		for i := range 3 * skimmed {
			fmt.Fprintln(&b, line(i))
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	names := list("names", func(i int) string { return fmt.Sprintf(".d%d.test", i) })
	patterns := list("patterns", func(i int) string { return fmt.Sprintf("^http://p%d", i) })
	plain := list("plain", func(i int) string { return fmt.Sprintf("10.1.%d.%d", i/250, i%250+1) })
	six := list("six", func(i int) string {
		if i == 2*skimmed {
			return "2001:db8::/32"
		}
		return fmt.Sprintf("10.2.%d.%d", i/250, i%250+1)
	})
	everyone := list("everyone", func(i int) string {
		if i == 2*skimmed {
			return "10.0.0.0/0"
		}
		return "# nobody"
	})
	path := filepath.Join(dir, "squid.conf")
	text := fmt.Sprintf(`http_port 3128
visible_hostname t.test
acl all src 0.0.0.0/0
acl names dstdomain %q .more.test
acl patterns url_regex %q
acl plain src %q
acl six src %q
acl everyone src %q
http_access allow six
pid_filename /run/skimmed.pid
`, names, patterns, plain, six, everyone)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	whole, _ := Load(path, Options{})
	part, report := Load(path, Options{Skim: true})
	if whole == nil || part == nil {
		t.Fatalf("refused: %v", report.Lines)
	}
	acls := func(c *Config, name string) *ACL {
		for _, a := range c.ACLs {
			if a.Name == name {
				return a
			}
		}
		t.Fatalf("no acl %s", name)
		return nil
	}
	if n, m := acls(part, "names").Domains, acls(whole, "names").Domains; n.Len() != skimmed+1 || m.Len() != 3*skimmed+1 || !n.Has("more.test") {
		t.Errorf("%d names of %d", n.Len(), m.Len())
	}
	if n := acls(part, "patterns").Regexes; n.Len() != skimmed {
		t.Errorf("%d patterns", n.Len())
	}
	for _, name := range []string{"plain", "six", "everyone"} {
		p, w := acls(part, name).Networks, acls(whole, name).Networks
		if p.Has6() != w.Has6() || p.HasAll() != w.HasAll() || name == "plain" && p.Len() > skimmed {
			t.Errorf("%s: IPv6 %v, all %v, %d values; the whole has %v, %v", name, p.Has6(), p.HasAll(), p.Len(), w.Has6(), w.HasAll())
		}
	}
	if part.PidFilename != whole.PidFilename || len(part.HTTPAccess) != 1 {
		t.Errorf("%+v", part.HTTPAccess)
	}
}
