package privsep

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

func TestMonitorTouchesOnlyNamedFiles(t *testing.T) {
	cfg := &conf.Config{}
	cfg.CacheLog, cfg.CacheStoreLog = "/var/log/squid/cache.log", "none"
	cfg.AccessLogs = []*conf.AccessLog{{Path: "/var/log/squid/access.log"}, {Path: ""}}
	k := &server{cfg: cfg, mayRead: map[string]bool{"/etc/squid/squid.conf": true}}
	for path, want := range map[string]bool{
		"/var/log/squid/cache.log": true, "/var/log/squid/access.log": true, "": false, "none": false,
		"/etc/shadow": false, "/var/log/squid/../squid/cache.log": false, "/var/log/squid/cache.log.0": false,
	} {
		if got := k.isLog(path); got != want {
			t.Errorf("isLog(%q) is %v", path, got)
		}
	}
	log := "/var/log/squid/access.log"
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{log, log + ".0", true},
		{log + ".0", log + ".1", true},
		{log + ".9", log + ".10", true},
		{log, log + ".1", false},
		{log + ".0", log + ".2", false},
		{log + ".1", log + ".0", false},
		{log, "/etc/passwd", false},
		{"/etc/shadow", log + ".0", false},
		{log, log, false},
		{log + ".00", log + ".1", false},
		{log + ".x", log + ".1", false},
		{"/tmp/a.0", "/tmp/a.1", false},
	} {
		if got := k.isRotation(c.from, c.to); got != c.want {
			t.Errorf("isRotation(%q, %q) is %v", c.from, c.to, got)
		}
	}
	for _, path := range []string{"/etc/shadow", "", "/etc/squid/../shadow"} {
		if f, err := k.do(askOpenConf, path); err == nil {
			f.Close()
			t.Errorf("%q was opened", path)
		}
	}
	if _, err := k.do('?', ""); err == nil {
		t.Error("an unknown request was granted")
	}
}

// Whatever a serving process that was taken over asks, a renaming stays within
// the numbered copies of one log.
func FuzzRotation(f *testing.F) {
	const log = "/var/log/squid/access.log"
	f.Add(log, log+".0")
	f.Add(log+".3", log+".4")
	f.Add(log+".1/../../etc/passwd", log+".2")
	f.Add("/etc/shadow", log+".-1")
	k := &server{cfg: &conf.Config{}}
	k.cfg.CacheLog = log
	f.Fuzz(func(t *testing.T, from, to string) {
		if !k.isRotation(from, to) {
			return
		}
		for _, path := range []string{from, to} {
			if !strings.HasPrefix(path, log) || filepath.Clean(path) != path || filepath.Dir(path) != filepath.Dir(log) {
				t.Errorf("%q -> %q is granted", from, to)
			}
		}
	})
}
