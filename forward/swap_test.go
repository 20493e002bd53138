package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// noPort is a network in which one port cannot be had.
type noPort struct {
	loopback
	taken *uint16
}

func (n noPort) Listen(ctx context.Context, port *conf.HTTPPort) ([]*net.TCPListener, error) {
	if port.Addr.Port() == *n.taken {
		return nil, errors.New("the port is taken")
	}
	return n.loopback.Listen(ctx, port)
}

// lines is an http_port for each address, as it is listened at now.
func lines(c *conf.Config, at ...string) {
	c.HTTPPorts = nil
	for _, addr := range at {
		c.HTTPPorts = append(c.HTTPPorts, &conf.HTTPPort{Addr: netip.MustParseAddrPort(addr), Protocol: "http"})
	}
}

// free is an address to listen at.
func free(t *testing.T) string { return "127.0.0.1:" + freePort(t) }

// A reconfigure opens the ports that are new, closes those that have gone,
// leaves the others listening, and serves on without one that cannot be had.
func TestSwapPorts(t *testing.T) {
	taken := uint16(0)
	one, two, three := free(t), free(t), free(t)
	r := start(t, noPort{taken: &taken}, func(c *conf.Config) { lines(c, one, two) })
	listening := func(at string) bool {
		c, err := net.Dial("tcp", at)
		if err != nil {
			return false
		}
		c.Close()
		return true
	}
	swap := func(edit func(*conf.Config), at ...string) error {
		next := defaults(r.dir)
		lines(next, at...)
		if edit != nil {
			edit(next)
		}
		return r.srv.Swap(context.Background(), next)
	}
	queued, err := net.Dial("tcp", two)
	if err != nil {
		t.Fatal(err)
	}
	defer queued.Close()
	kept := r.srv.ports.Listeners()[1]
	if err := swap(nil, two, three); err != nil {
		t.Fatal(err)
	}
	if listening(one) || !listening(two) || !listening(three) || r.srv.ports.Listeners()[0] != kept {
		t.Errorf("one %v, two %v, three %v, the socket of two is the same: %v", listening(one), listening(two), listening(three), r.srv.ports.Listeners()[0] == kept)
	}
	// The same socket serves the line's new options.
	if err := swap(func(c *conf.Config) { c.HTTPPorts[0].Accel, c.HTTPPorts[0].DefaultSite = true, "d.test" }, two, three); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(queued, "GET /a HTTP/1.0\r\n\r\n")
	if got, _ := io.ReadAll(queued); !strings.Contains(string(got), "ERR_CANNOT_FORWARD") {
		t.Errorf("an accelerator without a peer says %q", got)
	}
	if r.srv.ports.Listeners()[0] != kept {
		t.Error("the socket was opened anew")
	}
	_, number, _ := net.SplitHostPort(one)
	fmt.Sscan(number, &taken)
	before := r.srv.current.Load()
	if err := swap(nil, three, one); err != nil {
		t.Error(err)
	}
	if failed := r.srv.Unserved(); len(failed) != 1 || !strings.Contains(failed[0].Error(), one) {
		t.Errorf("unserved: %v", failed)
	}
	if listening(two) || !listening(three) || r.srv.current.Load() == before {
		t.Errorf("beside a port that is taken: two %v, three %v, the same policy: %v", listening(two), listening(three), r.srv.current.Load() == before)
	}
}

// The logs of a configuration stay open until its last transaction is logged,
// and not longer.
func TestSwapLogs(t *testing.T) {
	r := start(t, nil)
	r.cfg.HTTPPorts[0].Addr = netip.MustParseAddrPort(r.addr) // port 0 would be another one
	old := r.srv.current.Load()
	ended := make(chan struct{})
	old.ended = func() { close(ended) }
	cl := &client{srv: r.srv, ln: r.srv.ports.Listeners()[0]}
	x := r.srv.newTransaction(cl) // begins with the old configuration
	next := defaults(r.dir)
	next.HTTPPorts[0].Addr = netip.MustParseAddrPort(r.addr)
	next.AccessLogs = []*conf.AccessLog{{Path: filepath.Join(r.dir, "second.log"), Kind: conf.LogSquid}}
	if err := r.srv.Swap(context.Background(), next); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
		t.Fatal("the old logs are closed under a transaction")
	default:
	}
	x.url.Path, x.tag = nil, "TCP_MISS"
	x.log()
	x.release()
	<-ended
	if lines := linesOf(t, r.cfg.AccessLogs[0].Path); len(lines) != 1 {
		t.Errorf("the old log has %q", lines)
	}
	y := r.srv.newTransaction(cl)
	y.log()
	y.release()
	if err := r.srv.Rotate(); err != nil { // writes out what is buffered
		t.Fatal(err)
	}
	if lines := linesOf(t, next.AccessLogs[0].Path); len(lines) != 1 {
		t.Errorf("the new log has %q", lines)
	}
}

// What began before a reconfigure is logged in the file of that name, whatever rotations
// have been since: a tunnel's line of days later is not in a file long taken away.
func TestRotateBehindSwap(t *testing.T) {
	r := start(t, nil)
	r.cfg.HTTPPorts[0].Addr = netip.MustParseAddrPort(r.addr) // port 0 would be another one
	cl := &client{srv: r.srv, ln: r.srv.ports.Listeners()[0]}
	path := r.cfg.AccessLogs[0].Path
	for i := range 3 {
		x := r.srv.newTransaction(cl)
		next := defaults(r.dir)
		next.HTTPPorts[0].Addr = netip.MustParseAddrPort(r.addr)
		next.LogfileRotate = i
		if err := r.srv.Swap(context.Background(), next); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // by logrotate
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.srv.Rotate(); err != nil {
			t.Fatal(err)
		}
		x.log()
		x.release()
		if lines := linesOf(t, path); len(lines) != 1 {
			t.Errorf("%d files kept: %d lines in the log", i, len(lines))
		}
		if i > 0 {
			if lines := linesOf(t, path+".0"); len(lines) != 1 { // of the time before
				t.Errorf("%d files kept: %d lines in the old log", i, len(lines))
			}
		}
	}
	if n := len(r.srv.former); n > 1 {
		t.Errorf("%d logs that are closed are remembered", n)
	}
}

// After Shutdown a reconfigure does nothing: no socket is opened behind it.
func TestSwapAfterShutdown(t *testing.T) {
	r := start(t, nil)
	r.srv.Shutdown(0)
	next := defaults(r.dir)
	next.AccessLogs[0].Path = filepath.Join(r.dir, "never.log")
	if err := r.srv.Swap(context.Background(), next); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(next.AccessLogs[0].Path); err == nil {
		t.Error("its log was opened")
	}
}

// A configuration is in force, its refusals above all, although a log, a page or a
// cache_dir of it cannot be had. The log is written as soon as it can be.
func TestSwapPutsInForceWhatCanBe(t *testing.T) {
	r := start(t, nil)
	next := defaults(r.dir)
	next.HTTPPorts[0].Addr = netip.MustParseAddrPort(r.addr)
	next.HTTPAccess = conf.AccessList{{}}
	later := filepath.Join(r.dir, "later")
	next.AccessLogs = []*conf.AccessLog{{Path: filepath.Join(later, "access.log"), Kind: conf.LogSquid}}
	next.UseragentLog = filepath.Join(later, "agents.log")
	next.DenyInfo = []conf.DenyInfo{{Page: "ERR_NOT_THERE"}}
	next.ErrorDirectory = t.TempDir()
	if err := r.srv.Swap(context.Background(), next); err != nil {
		t.Fatal(err)
	}
	told := fmt.Sprint(r.srv.Unserved())
	for _, name := range []string{"access.log", "agents.log", "ERR_NOT_THERE"} {
		if !strings.Contains(told, name) {
			t.Errorf("%s is not among %s", name, told)
		}
	}
	if got := r.exchange("GET http://origin.test/ HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 403 ") || !strings.Contains(got, "ERR_ACCESS_DENIED") {
		t.Errorf("%q", got)
	}
	if err := os.Mkdir(later, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := r.srv.Rotate(); err != nil {
		t.Error(err)
	}
	r.exchange("GET http://origin.test/ HTTP/1.0\r\n\r\n")
	r.cfg = next
	if lines := r.log(1); len(lines) != 1 {
		t.Errorf("%q", lines)
	}
}
