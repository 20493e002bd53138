package forward

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// still is a pool that lets nothing through, for requests with "slow" for a browser;
// unpaced limits nobody, and paced does, at so many octets a second.
const (
	still   = "acl slow browser slow\ndelay_pools 1\ndelay_class 1 1\ndelay_parameters 1 0/0\ndelay_access 1 allow slow\n"
	unpaced = "acl slow browser slow\n"
	slowly  = "User-Agent: slow\r\n"
)

func paced(rate int) string {
	return fmt.Sprintf("delay_pools 1\ndelay_initial_bucket_level 0\ndelay_class 1 2\ndelay_parameters 1 -1/-1 %d/%d\n", rate, rate)
}

// becomes puts another configuration of these lines in force.
func (r *rig) becomes(lines string, edits ...func(*conf.Config)) {
	r.t.Helper()
	next := defaults(r.dir)
	file(r.t, lines)(next)
	next.HTTPPorts = r.cfg.HTTPPorts
	for _, edit := range edits {
		edit(next)
	}
	if err := r.srv.Swap(context.Background(), next); err != nil {
		r.t.Fatal(err)
	}
}

// slowed waits until so many transfers belong to the first pool.
func (s *storing) slowed(n int64) {
	s.t.Helper()
	s.settled(func() bool { return s.srv.DelayPools()[0].Transfers == n })
}

// transfers are the ways in which something comes from an origin.
var transfers = map[string]struct{ method, head string }{
	"stored":         {"GET", sized(1000)},
	"not stored":     {"GET", strings.Replace(sized(1000), "max-age", "no-store, max-age", 1)},
	"without length": {"GET", lasting + "\r\n"},
	"tunnel":         {"CONNECT", "DATE"},
}

// visitAs begins one of them, for the kind of client these tests slow down.
func (s *storing) visitAs(method string) *visitor {
	if method == "CONNECT" {
		c := s.dial()
		s.t.Cleanup(func() { c.Close() })
		fmt.Fprintf(c, "CONNECT %s HTTP/1.0\r\n%s\r\nGET / HTTP/1.0\r\n\r\n", s.origin, slowly)
		return &visitor{t: s.t, TCPConn: c, r: bufio.NewReader(c)}
	}
	return s.visit("/", slowly)
}

// What waits for its bandwidth ends with its client, with the proxy, and, but for tunnels,
// with client_lifetime; with a configuration that does not slow it down it goes on.
func TestEndsOfSlowTransfers(t *testing.T) {
	for name, c := range transfers {
		for end, edit := range map[string]func(*conf.Config){"client": nil, "lifetime": func(c *conf.Config) { c.ClientLifetime = 5 * time.Second },
			"shutdown": nil, "pools gone": nil, "other pool": nil} {
			if end == "lifetime" && name == "tunnel" {
				continue
			}
			t.Run(name+" "+end, func(t *testing.T) {
				t.Parallel()
				const lines = still + "quick_abort_min 0 KB\nquick_abort_max 0 KB\n"
				s := newStoring(t, lines)
				if edit != nil {
					s.becomes(lines, edit)
				}
				v := s.visitAs(c.method)
				a := s.next()
				a.say(c.head + text(1000))
				v.head()
				if end != "lifetime" { // it may be over
					s.slowed(1)
				}
				switch end {
				case "client":
					v.leaves()
				case "shutdown":
					go s.srv.Shutdown(0)
				case "pools gone":
					s.becomes(unpaced)
				case "other pool":
					s.becomes("acl slow browser slow\ndelay_pools 2\ndelay_class 2 3\ndelay_parameters 2 -1/-1 -1/-1 100000/100000\ndelay_access 1 allow slow\ndelay_access 2 allow slow\n")
				}
				if strings.Contains(end, "pool") {
					a.end()
					if got := v.rest(); !strings.HasSuffix(got, text(1000)) {
						t.Errorf("%d octets came", len(got))
					}
				} else {
					if got := v.rest(); end != "client" && got != "" {
						t.Errorf("%q came", got)
					}
					if !a.gone() {
						t.Error("the origin is still connected")
					}
				}
				s.deserted()
				for _, p := range s.srv.DelayPools() {
					if p.Transfers != 0 || p.Waiting != 0 {
						t.Errorf("left: %+v", p)
					}
				}
			})
		}
	}
}

// The proxy's own pauses are nobody's silence: read_timeout does not count them.
func TestPausesAreNoSilence(t *testing.T) {
	for name, c := range transfers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const patience = 3 * time.Second // in which the origin answers
			s := newStoring(t, still)
			s.becomes(still, func(c *conf.Config) { c.ReadTimeout = patience })
			v := s.visitAs(c.method)
			a := s.next()
			a.say(c.head + text(1000))
			s.slowed(1)
			time.Sleep(patience * 4 / 3) // the pause is what is tested
			s.becomes(unpaced)
			a.end()
			if got := v.rest(); !strings.HasSuffix(got, text(1000)) {
				t.Errorf("%d octets came", len(got))
			}
		})
	}
}

// What is not from an origin is not slowed down, nor is what goes there.
func TestOnlyOriginsAreSlow(t *testing.T) {
	s := newStoring(t, still+"acl no urlpath_regex ^/no\nhttp_access deny no\nhttp_access allow all\n")
	v := s.visit("/", "")
	a := s.next()
	a.say(sized(100000) + text(100000))
	a.end()
	v.is(text(100000))
	s.visit("/", slowly).is(text(100000))
	if got := s.visit("/no", slowly).rest(); !strings.HasPrefix(got, "HTTP/1.0 403 ") || !strings.HasSuffix(got, "</html>\n") {
		t.Errorf("%q", got)
	}
	s.none()
	v = s.visitBy("POST", "/", slowly+"Content-Length: 100000\r\n")
	go io.WriteString(v, text(100000))
	a = s.next()
	if b, err := io.ReadAll(io.LimitReader(a, 60000)); err != nil || len(b) < 60000 { // the rest may have come with the head
		t.Errorf("%d octets, %v", len(b), err)
	}
}

// Of those who share a transfer each has his own pace, whoever began it.
func TestSharedTransfersHavePaces(t *testing.T) {
	for _, slowFirst := range []bool{true, false} {
		s := newStoring(t, still+"collapsed_forwarding on\nquick_abort_min -1 KB")
		const size = 1 << 20
		fields := []string{slowly, ""}
		if !slowFirst {
			fields[0], fields[1] = fields[1], fields[0]
		}
		first := s.visit("/", fields[0])
		a := s.next()
		a.say(sized(size))
		first.head()
		second := s.visit("/", fields[1])
		second.head()
		s.slowed(1)
		go a.say(text(size))
		fast, slow := second, first
		if !slowFirst {
			fast, slow = first, second
		}
		if got := fast.some(size); got != text(size) {
			t.Errorf("slow first %v: another body", slowFirst)
		}
		a.end()
		s.becomes(unpaced)
		if got := slow.some(size); got != text(size) {
			t.Errorf("slow first %v: another body for the slow one", slowFirst)
		}
		s.none()
	}
}

// cache_peer no-delay frees what comes from that peer, tunnels too.
func TestNoDelay(t *testing.T) {
	parent := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		if _, err := readHead(r); err == nil {
			io.WriteString(c, strings.Replace(sized(100000), "DATE", "Thu, 02 Jan 2020 03:04:05 GMT", 1)+text(100000))
		}
	})
	host, port, _ := net.SplitHostPort(parent)
	r := start(t, nil, file(t, still+"cache_peer "+host+" parent "+port+" 0 no-query no-delay\nnever_direct allow all\n"))
	for _, request := range []string{"GET http://o.test/", "CONNECT o.test:443"} {
		if got := r.exchange(request + " HTTP/1.0\r\n" + slowly + "\r\n"); !strings.HasSuffix(got, text(100000)) {
			t.Errorf("%s: %d octets", request, len(got))
		}
	}
}

// A tunnel of an intercepted client that has gone on by itself follows a change of the
// pools as well.
func TestQuietTunnelsChangePools(t *testing.T) {
	said, says := make(chan struct{}), make(chan struct{})
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		r.ReadByte()
		io.WriteString(c, "hello")
		close(said)
		<-says
		io.WriteString(c, text(1000))
	})
	r := start(t, loopback{dst: netip.MustParseAddrPort(origin)}, file(t, paced(1000000)+"intercept_unknown_protocol tunnel"), func(c *conf.Config) { c.HTTPPorts[0].Transparent = true })
	s := &storing{rig: r}
	c := r.dial()
	defer c.Close()
	io.WriteString(c, "SSH-2.0-client\r\n")
	<-said
	got := make([]byte, 5)
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	alone := func() (is bool) {
		r.srv.clients.Each(func(cl *client) {
			cl.mu.Lock()
			_, is = cl.fetches[0].(*joined)
			if !is {
				_, is = cl.fetches[1].(*joined)
			}
			cl.mu.Unlock()
		})
		return is
	}
	s.settled(alone)
	r.becomes("intercept_unknown_protocol tunnel\ndelay_pools 1\ndelay_class 1 1\ndelay_parameters 1 0/0\n")
	close(says)
	s.slowed(1)
	r.becomes("intercept_unknown_protocol tunnel\n")
	if b, err := io.ReadAll(c); err != nil || string(b) != text(1000) {
		t.Errorf("%d octets, %v", len(b), err)
	}
}

// Of a request that no pool matches, or whose pool limits nothing, nothing is looked at
// on its way.
func TestOthersAreNotLookedAt(t *testing.T) {
	for _, lines := range []string{still, "delay_pools 1\ndelay_class 1 2\ndelay_parameters 1 -1/-1 -1/-1\n", "delay_pools 1\ndelay_class 1 2\ndelay_access 1 allow all\n", "delay_pools 1\n"} {
		s := newStoring(t, lines)
		x := newTransactionOf(s)
		if slow(x, false, 100); x.reply.Pace != nil {
			t.Errorf("%q slows down", lines)
		}
		x.free()
	}
}

// newTransactionOf is a transaction that is about a client without a connection.
func newTransactionOf(s *storing) *transaction {
	cl := &client{srv: s.srv, ln: s.srv.ports.Listeners()[0], remote: netip.MustParseAddrPort("10.0.0.1:1")}
	x := s.srv.newTransaction(cl)
	x.facts.Request, x.facts.Client = &x.req.Fields, cl.remote.Addr()
	return x
}
