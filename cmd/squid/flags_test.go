package main

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// The command lines and what 2.6 makes of them were seen on its running binary.
func TestFlags(t *testing.T) {
	base := flags{debugStderr: -1, icpPort: -1}
	with := func(change func(*flags)) flags { f := base; change(&f); return f }
	for _, c := range []struct {
		line string
		want flags
	}{
		{"", base},
		{"-N -D", with(func(f *flags) { f.noDaemon, f.noDNSTests = true, true })},
		{"-NDCY", with(func(f *flags) { f.noDaemon, f.noDNSTests, f.noCatch, f.icpOnlyHits = true, true, true, true })},
		{"-NCd1", with(func(f *flags) { f.noDaemon, f.noCatch, f.debugStderr = true, true, 1 })},
		{"-NCd 10", with(func(f *flags) { f.noDaemon, f.noCatch, f.debugStderr = true, true, 10 })},
		{"-df", with(func(f *flags) { f.debugStderr = 0 })},
		{"-f /etc/squid.conf -kparse", with(func(f *flags) { f.confFile, f.order = "/etc/squid.conf", "parse" })},
		{"-f/etc/squid.conf -k check", with(func(f *flags) { f.confFile, f.order = "/etc/squid.conf", "check" })},
		{"-kpar", with(func(f *flags) { f.order = "par" })},
		{"-u0", with(func(f *flags) { f.icpPort = 0 })},
		{"-u x", with(func(f *flags) { f.icpPort = 0 })},
		{"-u 3130x", with(func(f *flags) { f.icpPort = 3130 })},
		{"-s", with(func(f *flags) { f.syslog = "local4" })},
		{"-l daemon", with(func(f *flags) { f.syslog = "daemon" })},
		{"-z -F -R -S -X", with(func(f *flags) {
			f.createSwap, f.foreRebuild, f.noReuseAddr, f.checkSwap, f.fullDebug = true, true, true, true, true
		})},
		{"extra -N words", with(func(f *flags) { f.noDaemon = true })},
		{"-N -- -D", with(func(f *flags) { f.noDaemon = true })},
		{"-z -v", with(func(f *flags) { f.createSwap, f.version = true, true })},
		{"-v -k check", with(func(f *flags) { f.version, f.order = true, "check" })},
		{"-h -k check", with(func(f *flags) { f.help = true })},
		{"-k parse -v", with(func(f *flags) { f.order, f.verbose = "parse", true })},
		{"--foreground -sYC", with(func(f *flags) { f.foreground, f.syslog, f.icpOnlyHits, f.noCatch = true, "local4", true, true })},
		{"-k wccp --json", with(func(f *flags) { f.order, f.long = "wccp", []string{"json"} })},
	} {
		got, err := parseFlags("squid", strings.Fields(c.line))
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q:\n got %+v\nwant %+v", c.line, got, c.want)
		}
	}
}

func TestFlagsRefused(t *testing.T) {
	for _, c := range []struct {
		line, text string
		usage      bool
	}{
		{"-q", "sq: invalid option -- 'q'", true},
		{"-Na", "sq: invalid option -- 'a'", true},
		{"-N -V", "sq: invalid option -- 'V'", true},
		{"-d", "sq: option requires an argument -- 'd'", true},
		{"-N -f", "sq: option requires an argument -- 'f'", true},
		{"-k", "sq: option requires an argument -- 'k'", true},
		{"-k nonsense", "", true},
		{"-kx", "", true},
		{"--nonsense", "sq: unrecognized option '--nonsense'", true},
		{"-l foo -k parse", "unknown syslog facility 'foo'", false},
	} {
		_, err := parseFlags("sq", strings.Fields(c.line))
		if err == nil || err.Error() != c.text {
			t.Errorf("%q: error %v, want %q", c.line, err, c.text)
			continue
		}
		if errors.As(err, &usageError{}) != c.usage {
			t.Errorf("%q: usage shown is not %v", c.line, c.usage)
		}
	}
}

// An order may be shortened; 2.6's words come before ours.
func TestOrders(t *testing.T) {
	for word, want := range map[string]string{
		"r": "reconfigure", "re": "reconfigure", "ro": "rotate", "d": "debug", "s": "shutdown", "i": "interrupt",
		"k": "kill", "c": "check", "check": "check", "w": "wccp", "wccp": "wccp", "parse": "parse", "p": "parse",
	} {
		if o, ok := findOrder(word); !ok || o.word != want {
			t.Errorf("-k %s is %q, want %q", word, o.word, want)
		}
	}
	for _, word := range []string{"", "x", "reconfigured", "Check"} {
		if o, ok := findOrder(word); ok {
			t.Errorf("-k %q is taken for %q", word, o.word)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	var out, errs bytes.Buffer
	if status := invoke([]string{"squid", "-v"}, "", &out, &errs); status != 0 || errs.Len() > 0 {
		t.Errorf("-v: status %d, errors %q", status, errs.String())
	}
	if !strings.HasPrefix(out.String(), "Squid Cache: Version 2.6.") {
		t.Errorf("-v begins %q: scripts look for \"Squid Cache: Version 2.6\"", out.String())
	}
	out.Reset()
	if status := invoke([]string{"/usr/sbin/squid", "-h"}, "", &out, &errs); status != 1 || out.Len() > 0 {
		t.Errorf("-h: status %d, output %q", status, out.String())
	}
	if !strings.HasPrefix(errs.String(), "Usage: squid [-") {
		t.Errorf("-h begins %q", errs.String())
	}
	for _, o := range orders() {
		if o.help == "" || !strings.Contains(errs.String(), o.word) {
			t.Errorf("-h says nothing about -k %s", o.word)
		}
	}
}

func TestIdleOptionsAreNamed(t *testing.T) {
	f, err := parseFlags("squid", []string{"-NYC", "-X", "-DFRS", "-s"})
	if got := strings.Join(f.idle(), " "); err != nil || got != "-C -D -R -Y" {
		t.Errorf("without effect: %q, %v", got, err)
	}
	if f, _ = parseFlags("squid", []string{"-NX", "-d1"}); f.idle() != nil {
		t.Errorf("without effect: %v", f.idle())
	}
}
