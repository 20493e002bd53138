package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// stockRules are those 2.6 comes with, and the one line its comments ask for.
const stockRules = `acl all src 0.0.0.0/0.0.0.0
acl manager proto cache_object
acl localhost src 127.0.0.1/255.255.255.255
acl to_localhost dst 127.0.0.0/8
acl SSL_ports port 443
acl Safe_ports port 80 21 443 70 210 1025-65535 280 488 591 777
acl CONNECT method CONNECT
http_access allow manager localhost
http_access deny manager
http_access deny !Safe_ports
http_access deny CONNECT !SSL_ports
acl our_networks src 10.1.0.0/16
http_access allow our_networks
`

// configureAccess is configure with all of the http_access rules in lines.
func (s *street) configureAccess(lines string) {
	s.configure(lines)
	text, err := os.ReadFile(s.conf)
	if err != nil {
		s.t.Fatal(err)
	}
	rest := strings.NewReplacer("http_access allow all\n", "", "acl all src 0.0.0.0/0.0.0.0\n", "").Replace(string(text)[len(lines):])
	if err := os.WriteFile(s.conf, []byte(lines+rest), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// A port alone is open in both families, by a socket each: addresses are what they
// are in access lists and logs, and a 2.6 file does not let an IPv6 stranger in.
func TestBothFamiliesOfAPort(t *testing.T) {
	for _, c := range []struct {
		name, rules string
		four, six   int
	}{
		{"stock rules", stockRules + "http_access deny all\n", 200, 403},
		{"allow as the last rule, which inverts to deny", stockRules, 200, 403},
		{"inverted last rule", "acl all src 0.0.0.0/0.0.0.0\nacl bad src 10.99.0.0/16\nhttp_access deny bad\n", 200, 403},
		{"by one address", "acl all src 0.0.0.0/0.0.0.0\nacl one src 10.1.0.2/32\nhttp_access allow one\nhttp_access deny all\n", 200, 403},
		{"IPv6 by name", "acl all src 0.0.0.0/0.0.0.0\nacl six src fd01::/64\nhttp_access allow six\nhttp_access deny all\n", 403, 200},
		{"all", "acl all src 0.0.0.0/0.0.0.0\nhttp_access allow all\n", 200, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStreet(t)
			s.configureAccess("http_port 3128\n" + c.rules)
			s.start("3128")
			for to, want := range map[string]int{streetGateway4: c.four, streetGateway6: c.six} {
				if got, _, err := s.ask(net.JoinHostPort(to, "3128"), absoluteForm("four.example")); got != want || err != nil {
					t.Errorf("at %s: %d, want %d; %v", to, got, want, err)
				}
			}
			var log string
			s.until("both requests are logged", func() bool {
				log = s.read("log/access.log")
				return strings.Count(log, "four.example") == 2
			})
			if !strings.Contains(log, " "+streetClient4+" ") || !strings.Contains(log, " "+streetClient6+" ") || strings.Contains(log, "::ffff:") {
				t.Errorf("logged:\n%s", log)
			}
			if sockets := s.gateway.Must("ss", "-Hltn", "sport", "=", ":3128"); !strings.Contains(sockets, "0.0.0.0:3128") || !strings.Contains(sockets, "[::]:3128") {
				t.Errorf("listening:\n%s", sockets)
			}
		})
	}
}

// No router hears of the proxy before every port serves, and none at all while
// one cannot be opened.
func TestNothingIsAnnouncedBeforeEveryPortServes(t *testing.T) {
	s := newStreet(t)
	var router net.PacketConn
	if err := s.origin.Do(func() (err error) {
		router, err = net.ListenPacket("udp4", streetOrigin4+":2048")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	ports := []string{"3128", "3129", "3130", "3131"}
	lines := "wccp2_router " + streetOrigin4 + "\n"
	for _, port := range ports {
		lines += "http_port " + port + "\n"
	}
	s.configure(lines)
	packet := make([]byte, 2000)
	s.launch()
	router.SetReadDeadline(time.Now().Add(time.Minute))
	if _, _, err := router.ReadFrom(packet); err != nil {
		t.Fatalf("nothing was announced: %v\n%s", err, s.read("log/cache.log"))
	}
	for _, port := range ports {
		for _, gateway := range []string{streetGateway4, streetGateway6} {
			if status, _, err := s.ask(net.JoinHostPort(gateway, port), absoluteForm("four.example")); status != 200 || err != nil {
				t.Errorf("announced, but %s port %s: %d, %v", gateway, port, status, err)
			}
		}
	}
}

// The orders an operator gives before and after: the exit status of preflight is
// the worst finding, in either form, and a dry run changes nothing.
func TestPreflightAndDryRunOrders(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\n")
	status := func(err error) int {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		return 0
	}
	var found struct {
		Worst    string
		Findings []struct{ ID, Level, Fact, Why, Remedy string }
	}
	preflight := func(worst string, want int) {
		t.Helper()
		out, err := s.order("preflight", "--json")
		if json.Unmarshal([]byte(out), &found) != nil || found.Worst != worst || status(err) != want || len(found.Findings) == 0 {
			t.Errorf("want %s: %v\n%s", worst, err, out)
		}
		if out, err := s.order("preflight"); status(err) != want || strings.Count(out, "\n") != len(found.Findings) {
			t.Errorf("want %s, a line for each finding: %v\n%s", worst, err, out)
		}
	}
	preflight("fail", 2)
	for _, words := range [][]string{{"nft ", "ip rule add", "ip route", "sysctl -w"}, {"iptables -t mangle", "ip6tables", "ip rule add", "ip route", "sysctl -w"}} {
		options := []string{"--dry-run"}
		if words[0] != "nft " {
			options = append(options, "--iptables")
		}
		out, err := s.order("setup", options...)
		for _, word := range words {
			if err != nil || !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(out, "ip -4 ", "ip "), "ip -6 ", "ip "), word) {
				t.Errorf("%v: no %q, %v:\n%s", options, word, err, out)
			}
		}
	}
	preflight("fail", 2)
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	preflight("ok", 0)
	s.gateway.Sysctl("net.ipv4.conf.all.send_redirects", "1")
	preflight("warn", 1)
	if out, err := s.order("teardown", "--dry-run"); err != nil || !strings.Contains(out, "nft ") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := s.order("teardown"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	preflight("fail", 2)
}
