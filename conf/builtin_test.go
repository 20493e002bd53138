package conf

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// bare is a host with a cache directory and no other file.
type bare struct{ Offline }

func (bare) Stat(name string) error {
	if name == "/var/spool/squid" {
		return nil
	}
	return fs.ErrNotExist
}

// A file that has a substitute built in is missed only when the operator names it.
func TestBuiltInFilesAreNotMissed(t *testing.T) {
	const text = "http_port 3128\nvisible_hostname a.test\nacl all src 0.0.0.0/0.0.0.0\n"
	for _, c := range []struct{ line, want string }{
		{"", ""}, {"mime_table /nope\n", "MIME Config Table /nope"}, {"icon_directory /nope\n", "Icon Directory /nope"},
	} {
		_, report := LoadText("squid.conf", []byte(text+c.line), Options{World: bare{}})
		var said []string
		for _, l := range report.Lines {
			said = append(said, l.Text)
		}
		all := strings.Join(said, "\n")
		if report.Exit != 0 || (c.want == "") != (all == "") || !strings.Contains(all, c.want) {
			t.Errorf("%q: exit %d, said %q", c.line, report.Exit, all)
		}
	}
	if !errors.Is(bare{}.Stat("/nope"), fs.ErrNotExist) {
		t.Error("there is a file")
	}
}
