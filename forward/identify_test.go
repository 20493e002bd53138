package forward

import (
	"bufio"
	"context"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/ident"
)

// withIdent is a Network whose clients' ident server is elsewhere.
type withIdent struct {
	loopback
	server netip.AddrPort
}

func (n withIdent) Dial(ctx context.Context, d Dialing) (sock.Socket, error) {
	if d.To.Port() == ident.Port {
		d.To = n.server
	}
	return n.loopback.Dial(ctx, d)
}

func TestIdent(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
	var asked atomic.Int32
	server := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		question, _ := r.ReadString('\n')
		asked.Add(1)
		fmt.Fprintf(c, "%s : USERID : UNIX : bob\r\n", strings.TrimSpace(question))
	})
	bob := &conf.ACL{Name: "bob", Type: conf.ACLIdent, Users: conf.UserList{Names: []string{"bob"}}}
	for name, c := range map[string]struct {
		server string
		want   string
		user   string
		asked  int32
	}{
		"told":      {server, "200", "bob", 1}, // once for both requests of the connection
		"no server": {"127.0.0.1:1", "403", "-", 0},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store(0)
			r := start(t, withIdent{server: netip.MustParseAddrPort(c.server)}, func(cfg *conf.Config) {
				cfg.HTTPAccess = conf.AccessList{{Allow: true, ACLs: []conf.ACLRef{{Name: "bob", ACL: bob}}}}
				cfg.IdentTimeout = 10 * time.Second
				cfg.PersistentConnectionAfterError = true
			})
			conn := r.dial()
			defer conn.Close()
			in := bufio.NewReader(conn)
			for range 2 {
				fmt.Fprintf(conn, "GET http://%s/x HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
				head, err := readHead(in)
				if err != nil {
					t.Fatal(err)
				}
				if status := strings.Fields(head)[1]; status != c.want {
					t.Fatalf("status %s, want %s", status, c.want)
				}
				if c.want != "200" {
					break
				}
				in.Discard(2)
			}
			if n := asked.Load(); n != c.asked {
				t.Errorf("asked %d times, want %d", n, c.asked)
			}
			if line := r.log(1)[0]; strings.Fields(line)[7] != c.user {
				t.Errorf("logged %q, want user %s", line, c.user)
			}
		})
	}
}

// A client's host is asked once, although ident_lookup_access and http_access both want to
// know; and lists that cannot wait ask nobody, but judge by what is known.
func TestIdentIsAskedOnce(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	var asked atomic.Int32
	release := make(chan struct{})
	server := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		question, _ := r.ReadString('\n')
		asked.Add(1)
		<-release
		fmt.Fprintf(c, "%s : USERID : UNIX : bob\r\n", strings.TrimSpace(question))
	})
	bob := conf.ACLRef{Name: "bob", ACL: &conf.ACL{Name: "bob", Type: conf.ACLIdent, Users: conf.UserList{Names: []string{"bob"}}}}
	network := withIdent{server: netip.MustParseAddrPort(server)}
	r := start(t, network, func(cfg *conf.Config) {
		cfg.HTTPAccess = conf.AccessList{{Allow: true, ACLs: []conf.ACLRef{bob}}}
		cfg.IdentLookupAccess = conf.AccessList{{Allow: true}}
		cfg.IdentTimeout = 10 * time.Second
	})
	conn := r.dial()
	defer conn.Close()
	fmt.Fprintf(conn, "GET http://%s/x HTTP/1.0\r\n\r\n", origin)
	eventually(t, "the host is asked", func() bool { return asked.Load() > 0 })
	close(release)
	if head, err := readHead(bufio.NewReader(conn)); err != nil || !strings.Contains(head, " 200 ") {
		t.Errorf("%q, %v", head, err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}

	asked.Store(0)
	for name, c := range map[string]struct {
		access conf.AccessList
		want   string
		asked  int32
	}{
		"nothing known": {conf.AccessList{{Allow: true}}, " 200 ", 0},
		"known":         {conf.AccessList{{Allow: true, ACLs: []conf.ACLRef{bob}}}, " 403 ", 1},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store(0)
			r := start(t, network, func(cfg *conf.Config) {
				cfg.HTTPAccess = c.access
				cfg.MissAccess = conf.AccessList{{ACLs: []conf.ACLRef{bob}}, {Allow: true}}
				cfg.IdentTimeout = 10 * time.Second
			})
			if got := r.exchange("GET http://" + origin + "/x HTTP/1.0\r\n\r\n"); !strings.Contains(got, c.want) || asked.Load() != c.asked {
				t.Errorf("%.60q, asked %d times", got, asked.Load())
			}
		})
	}
}
