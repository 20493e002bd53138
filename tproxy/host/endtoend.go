package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// The addresses of the end-to-end test are from the blocks for benchmarks (RFC
// 2544, RFC 5180), which no network of an operator's uses.
type testAddresses struct {
	here, client     string // ends of the wire, with their prefix length
	origin, stranger string // a foreign destination, and a foreign source
}

var testNetworks = map[string]testAddresses{
	"IPv4": {"198.18.77.1/30", "198.18.77.2/30", "198.18.78.80", "198.18.79.9"},
	"IPv6": {"2001:2:0:77::1/64", "2001:2:0:77::2/64", "2001:2:0:78::80", "2001:2:0:79::9"},
}

// testWait is how long a connection of the test may take; it needs none.
const testWait = 2 * time.Second

// endToEnd sends real connections through a temporary client's namespace: one for
// each port and family, which must arrive at the listener with the addresses they
// were made with; and one in a stranger's name to the client, which must succeed.
func endToEnd(i Inspection) []Finding {
	if len(i.Interfaces) > 0 {
		return []Finding{{ID: "end_to_end", Fact: fmt.Sprintf("not tried: only what comes in by %v is intercepted", i.Interfaces)}}
	}
	lab, err := netlab.New(probeLab)
	if err != nil {
		return []Finding{{"end_to_end", Warn, "not tried: " + err.Error(), "it would show that everything works together", "sudo squid -k preflight"}}
	}
	defer lab.Close()
	e := &endToEndTest{Inspection: i, here: lab.Here(), client: lab.Node("client")}
	if err := e.build(lab); err != nil {
		return []Finding{{"end_to_end", Warn, "not tried: " + err.Error(), "it would show that everything works together", ""}}
	}
	return e.all()
}

// all makes the connections of the test at the same time, since each that fails
// takes its while, and keeps their findings in order.
func (e *endToEndTest) all() []Finding {
	var tries []func() Finding
	live, err := liveIntercepts()
	if err != nil {
		live = nil // the finding about rules says so
	}
	try := func(f family, p Port, by role, how tproxy.Interception) {
		if only := limitedTo(live, f, p, by); only != "" {
			tries = append(tries, func() Finding {
				return Finding{ID: "end_to_end", Fact: fmt.Sprintf("not tried by %s to port %d: only what comes in by %s is intercepted", f.name, p.Of, only)}
			})
			return
		}
		tries = append(tries, func() Finding { return e.finding(f, p, e.intercepted(f, p, how)) })
	}
	for _, f := range e.families() {
		for _, p := range e.TProxy {
			if p.serves(f) {
				try(f, p, roleTProxy, tproxy.Interception{TProxy: true})
			}
		}
		for _, p := range e.Redirect {
			if p.serves(f) {
				try(f, p, roleRedirect, tproxy.Interception{NAT: true})
			}
		}
		if len(e.TProxy) > 0 {
			tries = append(tries, func() Finding { return e.spoofed(f) })
		}
	}
	findings := make([]Finding, len(tries))
	var under sync.WaitGroup
	for n, try := range tries {
		under.Go(func() { findings[n] = try() })
	}
	under.Wait()
	return findings
}

// limitedTo names the interfaces that the rules which take a port look at, "" when one
// of them looks at all, the test's own among them.
func limitedTo(live []intercept, f family, p Port, by role) string {
	var names []string
	for _, i := range live {
		if i.takes(f, p, by) {
			if i.iface == "" {
				return ""
			}
			names = append(names, i.iface)
		}
	}
	return strings.Join(names, " ")
}

type endToEndTest struct {
	Inspection
	here, client *netlab.Node
}

func (e *endToEndTest) build(lab *netlab.Lab) error {
	near := netlab.End{Node: e.here, Name: "cuttle-test"}
	far := netlab.End{Node: e.client, Name: "eth0"}
	for _, f := range e.families() {
		a := testNetworks[f.name]
		near.Addrs, far.Addrs = append(near.Addrs, a.here), append(far.Addrs, a.client)
	}
	lab.Link(near, far)
	for _, f := range e.families() {
		e.client.Route("default", bare(testNetworks[f.name].here).String())
	}
	return lab.Err()
}

func bare(prefix string) netip.Addr { return netip.MustParsePrefix(prefix).Addr() }

func (e *endToEndTest) finding(f family, p Port, err error) Finding {
	if err == nil {
		return Finding{ID: "end_to_end", Fact: fmt.Sprintf("a test connection by %s to port %d arrived with its addresses", f.name, p.Of)}
	}
	return Finding{"end_to_end", Fail, fmt.Sprintf("a test connection by %s to port %d of a foreign address failed: %v", f.name, p.Of, err),
		"clients are not intercepted", "the other findings name the cause, or else a firewall: see `nft list ruleset` for what drops mark 1"}
}

// intercepted connects to a foreign address. With the listener's port free we
// listen ourselves and look at the addresses; with the proxy running it is enough
// that somebody answered for an address that does not exist.
func (e *endToEndTest) intercepted(f family, p Port, how tproxy.Interception) error {
	origin := netip.AddrPortFrom(netip.MustParseAddr(testNetworks[f.name].origin), p.Of)
	listener, err := e.listen(f, p, how)
	if err != nil && !errors.Is(err, syscall.EADDRINUSE) {
		return err
	}
	if listener != nil {
		defer listener.Close()
		listener.SetDeadline(time.Now().Add(2 * testWait))
	}
	ctx, cancel := context.WithTimeout(context.Background(), testWait)
	defer cancel()
	c, err := e.client.Dial(ctx, origin.String())
	if err != nil {
		return plainCause(err)
	}
	defer c.Close()
	if listener == nil {
		return nil
	}
	accepted, err := listener.AcceptTCP()
	if err != nil {
		return errors.New("somebody else answered it")
	}
	defer accepted.Close()
	return sameAddresses(c, accepted, origin, how)
}

func (e *endToEndTest) listen(f family, p Port, how tproxy.Interception) (listener *net.TCPListener, err error) {
	addr := p.Addr
	if !addr.IsValid() {
		addr = netip.IPv4Unspecified()
		if f.number == unix.AF_INET6 {
			addr = netip.IPv6Unspecified()
		}
	}
	err = e.here.Do(func() error {
		ls, err := tproxy.Listen(context.Background(), tproxy.ListenOptions{
			SocketOptions: tproxy.SocketOptions{Mark: tproxy.OwnMark},
			Addr:          netip.AddrPortFrom(addr, p.To), Transparent: how.TProxy})
		if err == nil {
			listener = ls[0]
		}
		return err
	})
	return listener, err
}

func sameAddresses(client net.Conn, accepted *net.TCPConn, origin netip.AddrPort, how tproxy.Interception) error {
	dst, intercepted, err := tproxy.OriginalDestination(accepted, accepted.LocalAddr().(*net.TCPAddr).AddrPort(), how, nil)
	if err != nil {
		return err
	}
	if !intercepted || dst != origin {
		return fmt.Errorf("it arrived as one to %v", dst)
	}
	if got, want := accepted.RemoteAddr().String(), client.LocalAddr().String(); got != want {
		return fmt.Errorf("it arrived as one from %s, not %s: something translates sources", got, want)
	}
	return nil
}

// spoofed connects to the client in a stranger's name. The answers come back to
// this host because it is the client's only way out, as the router's redirection
// of answers does it in earnest.
func (e *endToEndTest) spoofed(f family) Finding {
	a := testNetworks[f.name]
	err := e.spoof(bare(a.client), netip.MustParseAddr(a.stranger))
	if err == nil {
		return Finding{ID: "spoofing", Fact: "a test connection by " + f.name + " in a client's name was made"}
	}
	return Finding{"spoofing", Fail, fmt.Sprintf("a test connection by %s in a client's name failed: %v", f.name, err),
		"origins cannot be reached with the clients' addresses", "the other findings name the cause"}
}

func (e *endToEndTest) spoof(to, from netip.Addr) error {
	listener, err := e.client.Listen(netip.AddrPortFrom(to, 0).String())
	if err != nil {
		return err
	}
	defer listener.Close()
	var c *os.File
	ctx, cancel := context.WithTimeout(context.Background(), testWait)
	defer cancel()
	err = e.here.Do(func() (err error) {
		dialer := tproxy.NewDialer(tproxy.SocketOptions{Mark: tproxy.OwnMark}, nil)
		c, err = dialer.Dial(ctx, tproxy.Target{To: listener.Addr().(*net.TCPAddr).AddrPort(),
			From: netip.AddrPortFrom(from, 0), Spoof: true})
		return err
	})
	if err != nil {
		return plainCause(err)
	}
	return c.Close()
}

// plainCause reduces an error to what an operator wants to read.
func plainCause(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no answer")
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		return call.Err
	}
	return err
}
