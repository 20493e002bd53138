package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func originForm(host string) string {
	return fmt.Sprintf("GET /page HTTP/1.0\r\nHost: %s\r\n\r\n", host)
}

func absoluteForm(host string) string {
	return fmt.Sprintf("GET http://%s/page HTTP/1.0\r\nHost: %s\r\n\r\n", host, host)
}

type visit struct{ name, to, request, seen string }

func (s *street) visits(list []visit) {
	s.t.Helper()
	for _, v := range list {
		status, body, err := s.ask(v.to, v.request)
		if err != nil || status != 200 || body != v.seen {
			s.t.Errorf("%s: %d, the origin saw %q, want %q; %v", v.name, status, body, v.seen, err)
		}
	}
	if s.t.Failed() {
		s.t.Logf("cache.log:\n%s", s.read("log/cache.log"))
	}
}

// One port, set up by -k setup: intercepted clients of both families are passed
// on in their own name, explicit ones in the proxy's.
func TestTProxyPortServesInterceptedAndExplicitClients(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\ntcp_outgoing_address " + streetOutside4 + "\n")
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := s.order("preflight"); err != nil {
		t.Errorf("preflight after setup: %v\n%s", err, out)
	}
	s.start("3129")
	s.visits([]visit{
		{"intercepted IPv4", streetOrigin4 + ":80", originForm(streetOrigin4), streetClient4},
		{"intercepted IPv6", "[" + streetOrigin6 + "]:80", originForm("six.example"), streetClient6},
		{"explicit", streetGateway4 + ":3129", absoluteForm("four.example"), streetOutside4},
		{"intercepted, an IPv6 address as Host", "[" + streetOrigin6 + "]:80", originForm("[" + streetOrigin6 + "]"), streetClient6},
		{"explicit, an IPv6 address as host", streetGateway4 + ":3129", absoluteForm("[" + streetOrigin6 + "]"), "fd02::1"},
	})
	if out, err := s.order("preflight"); err != nil {
		t.Errorf("preflight beside the running proxy: %v\n%s", err, out)
	}
	if out, err := s.order("teardown"); err != nil || !strings.Contains(out, "removed nftables table") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestRedirectedClients(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3128 transparent\n")
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.start("3128")
	s.visits([]visit{
		{"redirected IPv4", streetOrigin4 + ":80", originForm(streetOrigin4), streetOutside4},
		{"redirected IPv6", "[" + streetOrigin6 + "]:80", originForm("six.example"), "fd02::1"},
		{"explicit", streetGateway4 + ":3128", absoluteForm("four.example"), streetOutside4},
	})
}

// network_setup does what -k setup does, and undoes it even when the proxy is
// killed: its monitor sees to that.
func TestNetworkSetupIsUndoneWhenTheProxyIsKilled(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\nnetwork_setup on\n")
	s.start("3129")
	s.visits([]visit{
		{"intercepted", streetOrigin4 + ":80", originForm(streetOrigin4), streetClient4},
		{"intercepted IPv6", "[" + streetOrigin6 + "]:80", originForm("[" + streetOrigin6 + "]"), streetClient6},
	})
	syscall.Kill(s.squid.Cmd.Process.Pid, syscall.SIGKILL)
	s.until("the rules are gone", func() bool {
		out, err := s.gateway.Run("nft", "list", "tables")
		return err == nil && !strings.Contains(out, "cuttle")
	})
	for _, forwards := range []string{"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"} {
		s.until(forwards+" is as before", func() bool {
			v, err := s.gateway.ReadSysctl(forwards)
			return err == nil && v == "0"
		})
	}
}

// A start without rules goes on, since they may be somebody else's to make, but
// cache.log says what is missing and what mends it.
func TestStartSaysWhatInterceptionLacks(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\n")
	s.start("3129")
	log := s.read("log/cache.log")
	for _, want := range []string{
		"ERROR: preflight: intercept_rule: no TPROXY rule takes IPv4 connections to port 80",
		"ERROR: preflight: fwmark_rule: no IPv4 rule sends marked packets to the divert table",
		"ERROR: preflight: intercept_rule: no TPROXY rule takes IPv6 connections to port 80",
		"ERROR: preflight: fwmark_rule: no IPv6 rule sends marked packets to the divert table", "mend it with: squid -k setup",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("cache.log lacks %q:\n%s", want, log)
		}
	}
}

// Every thread has given root up and kept just what the configuration needs.
func TestEveryThreadKeepsOnlyTheCapabilitiesNeeded(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 80 transparent tproxy\n")
	s.start("80")
	s.visits([]visit{{"explicit", net.JoinHostPort(streetGateway4, "80"), absoluteForm("four.example"), streetOutside4}})
	// CAP_NET_ADMIN is 12, CAP_NET_BIND_SERVICE 10 (linux/capability.h).
	want := fmt.Sprintf("%016x", 1<<12|1<<10)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", s.squid.Cmd.Process.Pid))
	if err != nil || len(threads) < 2 {
		t.Fatalf("threads %v, %v", threads, err)
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		fields := map[string]string{}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(line, ":")
			fields[key] = strings.Join(strings.Fields(value), " ")
		}
		for _, set := range []string{"CapEff", "CapPrm", "CapBnd"} {
			if fields[set] != want {
				t.Errorf("%s: %s is %s, want %s", path, set, fields[set], want)
			}
		}
		if fields["NoNewPrivs"] != "1" {
			t.Errorf("%s: what it starts may gain rights", path)
		}
		if fields["CapInh"] != strings.Repeat("0", 16) || fields["CapAmb"] != strings.Repeat("0", 16) {
			t.Errorf("%s: a helper would inherit %s, %s", path, fields["CapInh"], fields["CapAmb"])
		}
		if ids := strings.Fields(fields["Uid"]); len(ids) != 4 || ids[0] == "0" || ids[1] == "0" || ids[2] == "0" {
			t.Errorf("%s: user ids %v", path, ids)
		}
	}
}

// A process that lacks the capability says which, and where to get it.
func TestMissingCapabilityIsNamed(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\n")
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(filepath.Dir(path), 0o755)
	for _, command := range [][]string{{"-N"}, {"-k", "preflight"}} {
		args := append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", path, "-f", s.conf}, command...)
		out, err := s.gateway.Run("setpriv", args...)
		if err == nil || !strings.Contains(out, "CAP_NET_ADMIN") || !strings.Contains(out, "AmbientCapabilities=CAP_NET_ADMIN") {
			t.Errorf("%v: %v\n%s", command, err, out)
		}
	}
}

// Never root, with just the capabilities systemd would grant.
func TestUnprivilegedStartWithAmbientCapabilities(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 80 transparent tproxy\n")
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const caps = "+net_admin,+net_raw,+net_bind_service"
	s.start("80", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
		"--inh-caps="+caps, "--ambient-caps="+caps)
	s.visits([]visit{
		{"intercepted", streetOrigin4 + ":80", originForm("four.example"), streetClient4},
		{"intercepted IPv6", "[" + streetOrigin6 + "]:80", originForm("six.example"), streetClient6},
		{"explicit", net.JoinHostPort(streetGateway4, "80"), absoluteForm("four.example"), streetOutside4},
	})
}

// The rules are still there when the proxy is not: connections then pass
// unintercepted, and are taken again when it is back.
func TestTrafficPassesWhileTheProxyIsDead(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\nlogfile_rotate 0\n")
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fetches := []visit{
		{"", streetOrigin4 + ":80", originForm("four.example"), streetClient4},
		{"", "[" + streetOrigin6 + "]:80", originForm("six.example"), streetClient6},
	}
	lines := func() (n int) {
		logs, _ := filepath.Glob(filepath.Join(s.dir, "log/access.log*"))
		for _, path := range logs {
			text, _ := os.ReadFile(path)
			n += strings.Count(string(text), "\n")
		}
		return n
	}
	for _, alive := range []bool{true, false, true} {
		for i := range fetches {
			fetches[i].name = fmt.Sprintf("to %s, proxy alive: %v", fetches[i].to, alive)
		}
		before := lines()
		if alive {
			s.start("3129")
		} else {
			syscall.Kill(s.squid.Cmd.Process.Pid, syscall.SIGKILL)
			<-s.squid.Done()
		}
		s.visits(fetches)
		if alive {
			s.squid.Cmd.Process.Signal(syscall.SIGUSR1) // which writes the log out and renames nothing
			s.until("the fetches are logged", func() bool { return lines() == before+len(fetches) })
		} else if lines() != before {
			t.Error("a dead proxy logged a fetch")
		}
	}
}
