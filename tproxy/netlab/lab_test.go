package netlab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vishvananda/netns"
)

// pair is a client and a server joined by a router, both families.
func pair(t *testing.T) (lab *Lab, client, router, server *Node) {
	lab = ForTest(t)
	client, router, server = lab.Node("client"), lab.Node("router"), lab.Node("server")
	lab.Link(End{Node: client, Name: "eth0", Addrs: []string{"10.1.0.2/24", "fd01::2/64"}},
		End{Node: router, Name: "lan0", Addrs: []string{"10.1.0.1/24", "fd01::1/64"}})
	lab.Link(End{Node: server, Name: "eth0", Addrs: []string{"10.2.0.2/24", "fd02::2/64"}, MTU: 1400},
		End{Node: router, Name: "wan0", Addrs: []string{"10.2.0.1/24", "fd02::1/64"}, MTU: 1400})
	router.Sysctl("net.ipv4.ip_forward", "1")
	router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	client.Route("default", "10.1.0.1")
	client.Route("default", "fd01::1")
	server.Route("10.1.0.0/16", "10.2.0.1")
	server.Route("default", "fd02::1")
	return lab, client, router, server
}

func TestTwoNodesTalkThroughARouter(t *testing.T) {
	_, client, _, server := pair(t)
	for _, address := range []string{"10.2.0.2:0", "[fd02::2]:0"} {
		l, err := server.Listen(address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err == nil {
				io.WriteString(c, c.RemoteAddr().String())
				c.Close()
			}
		}()
		c, err := client.Dial(context.Background(), l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		seen, _ := io.ReadAll(c)
		if string(seen) != c.LocalAddr().String() {
			t.Errorf("server saw %q, client is %v", seen, c.LocalAddr())
		}
		c.Close()
	}
}

func TestDoLeavesTheThreadWhereItWas(t *testing.T) {
	lab := ForTest(t)
	n := lab.Node("n")
	before, _ := netns.Get()
	defer before.Close()
	fault := errors.New("fault")
	if err := n.Do(func() error { return fault }); err != fault {
		t.Errorf("Do returned %v", err)
	}
	after, _ := netns.Get()
	defer after.Close()
	if !before.Equal(after) {
		t.Error("still in the other namespace")
	}
	if names, _ := net.Interfaces(); len(names) < 1 {
		t.Error("no interfaces at home")
	}
}

func TestProcessesAndNamespacesGoWithTheLab(t *testing.T) {
	lab, err := New("cuttlelab")
	if err != nil {
		t.Skipf("network-namespace test skipped: %v", err)
	}
	n := lab.Node("n")
	p, err := n.Start(exec.Command("sleep", "1000"))
	if err != nil {
		t.Fatal(err)
	}
	// setsid takes the second one out of our sight; only its namespace tells.
	if _, err := n.Run("sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 </dev/null &"); err != nil {
		t.Fatal(err)
	}
	if err := lab.Close(); err != nil {
		t.Error(err)
	}
	<-p.Done()
	if _, err := os.Stat(filepath.Join(namespaces, n.Namespace)); !os.IsNotExist(err) {
		t.Errorf("namespace %s is still there: %v", n.Namespace, err)
	}
	if err := lab.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestLeftoversOfTheDeadAreSwept(t *testing.T) {
	if err := Available(); err != nil {
		t.Skipf("network-namespace test skipped: %v", err)
	}
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	lab := &Lab{prefix: "cuttlesweep"}
	n := &Node{Name: "n", lab: lab}
	if err := n.create(); err != nil {
		t.Fatal(err)
	}
	n.ns.Close()
	left := filepath.Join(namespaces, fmt.Sprintf("cuttlesweep-%d-n", dead.Process.Pid))
	if err := os.Rename(filepath.Join(namespaces, n.Namespace), left); err != nil {
		// A mount point cannot be renamed: make the leftover by name instead.
		removeNamed(n.Namespace)
		if err := os.WriteFile(left, nil, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	sweep("cuttlesweep")
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("%s was not swept", left)
	}
}

func TestHereStaysWhenTheLabGoes(t *testing.T) {
	lab := ForTest(t)
	outer := lab.Node("outer")
	var inner *Lab
	err := outer.Do(func() error {
		var err error
		if inner, err = New("cuttleinner"); err != nil {
			return err
		}
		inner.Link(End{Node: inner.Here(), Name: "probe0", Addrs: []string{"10.9.0.1/30"}},
			End{Node: inner.Node("peer"), Name: "eth0", Addrs: []string{"10.9.0.2/30"}})
		return inner.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	outer.Must("ip", "addr", "show", "probe0")
	if err := inner.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := outer.Run("ip", "link", "show", "probe0"); err == nil {
		t.Error("probe0 is still there")
	}
	outer.Must("ip", "link", "show", "lo")
}

func TestTheFirstFailureIsKept(t *testing.T) {
	lab, err := New("cuttlefail")
	if err != nil {
		t.Skipf("network-namespace test skipped: %v", err)
	}
	defer lab.Close()
	n := lab.Node("n")
	n.Sysctl("net.ipv4.no_such_thing", "1")
	n.Route("default", "10.9.9.9")
	if err := lab.Err(); err == nil || !strings.Contains(err.Error(), "no_such_thing") {
		t.Errorf("Err() = %v, want the sysctl", err)
	}
}

func TestSysctlNames(t *testing.T) {
	for name, want := range map[string]string{
		"net.ipv4.ip_forward":              "/proc/sys/net/ipv4/ip_forward",
		"net.ipv4.conf.eth0/100.rp_filter": "/proc/sys/net/ipv4/conf/eth0.100/rp_filter",
	} {
		if got := sysctlPath(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestOwnerOf(t *testing.T) {
	for name, want := range map[string]int{
		"lab-12-n": 12, "lab-12": 0, "other-12-n": 0, "lab-x-n": 0, "lab--1-n": 0, "lab-12-a-b": 12,
	} {
		if pid, ours := ownerOf(name, "lab"); ours != (want > 0) || ours && pid != want {
			t.Errorf("%s: %d %v", name, pid, ours)
		}
	}
}
