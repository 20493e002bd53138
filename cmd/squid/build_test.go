package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// builtIn are the variables that the linker sets.
var builtIn = map[string]*string{
	"Version": &conf.Version, "Prefix": &conf.Prefix, "SysconfDir": &conf.SysconfDir, "StateDir": &conf.StateDir, "LogDir": &conf.LogDir, "RunDir": &conf.RunDir,
	"SwapDir": &conf.SwapDir, "DataDir": &conf.DataDir, "ErrorDir": &conf.ErrorDir, "IconDir": &conf.IconDir, "LibexecDir": &conf.LibexecDir, "EffectiveUser": &conf.EffectiveUser,
}

// `make build PREFIX=P` gives the paths of a 2.6 that was configured with
// --prefix=P; each can be set by itself, and without a PREFIX they are Debian's.
func TestBuiltInPaths(t *testing.T) {
	for _, v := range builtIn {
		before := *v
		t.Cleanup(func() { *v = before })
	}
	for _, c := range []struct{ options, paths string }{
		{"PREFIX=/usr/local/squid", "/usr/local/squid/etc/squid.conf, /usr/local/squid/var/logs/cache.log, /usr/local/squid/var/logs/access.log, " +
			"/usr/local/squid/var/logs/squid.pid, /usr/local/squid/var/cache, /usr/local/squid/share/errors/English, /usr/local/squid/share/icons"},
		{"PREFIX=/p LOGDIR=/l RUNDIR=/r SWAPDIR=/s DATADIR=/d SYSCONFDIR=/c ERRORDIR=/e", "/c/squid.conf, /l/cache.log, /l/access.log, /r/squid.pid, /s, /e/English, /d/icons"},
		{"", "/etc/squid/squid.conf, /var/log/squid/cache.log, /var/log/squid/access.log, /var/run/squid.pid, /var/spool/squid, /usr/share/squid/errors/English, /usr/share/squid/icons"},
	} {
		out, err := exec.Command("make", append([]string{"-C", root, "-n", "build"}, strings.Fields(c.options)...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		set := 0
		for word := range strings.FieldsSeq(strings.ReplaceAll(string(out), `"`, " ")) {
			name, value, is := strings.Cut(strings.TrimPrefix(word, "github.com/cuttle-proxy/cuttle/conf."), "=")
			if !is || !strings.HasPrefix(word, "github.com/") {
				continue
			}
			v := builtIn[name]
			if v == nil {
				t.Fatalf("make sets conf.%s, which is no variable", name)
			}
			*v = value
			set++
		}
		if set != len(builtIn) {
			t.Errorf("make build %s sets %d of %d variables", c.options, set, len(builtIn))
		}
		var version bytes.Buffer
		writeVersion(&version)
		if !strings.Contains(version.String(), "\nBuilt-in paths: "+c.paths+"\n") {
			t.Errorf("make build %s:\n%s", c.options, version.String())
		}
	}
}
