package delays

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// base is what every configuration begins with.
const base = `http_port 127.0.0.1:{PORT}
icp_port 0
htcp_port 0
snmp_port 0
visible_hostname proxy.test
hosts_file none
dns_nameservers 127.0.0.9
cache_log {CONF_DIR}/cache.log
access_log {CONF_DIR}/access.log squid
cache_store_log none
pid_filename {CONF_DIR}/squid.pid
coredump_dir {CONF_DIR}
error_directory {CONF_DIR}
shutdown_lifetime 1 second
acl all src 0.0.0.0/0.0.0.0
cache_effective_user nobody
`

// play is a scenario being played.
type play struct {
	t      *testing.T
	s      *scenario
	dir    string
	values *strings.Replacer
	origin *origin
	peer   *origin
	began  time.Time
	uptime time.Duration // when the first client came
}

func newPlay(t *testing.T, s *scenario) *play {
	dir, err := os.MkdirTemp("", "delays-") // the test's own is closed to the user the proxy becomes
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &play{t: t, s: s, dir: dir, origin: newOrigin(t), peer: newOrigin(t)}
	p.values = strings.NewReplacer("{CONF_DIR}", dir, "{PORT}", freePort(t), "{PORT_B}", freePort(t),
		"{ORIGIN}", "127.0.0.1:"+p.origin.port(), "{ORIGIN_PORT}", p.origin.port(), "{PEER1_PORT}", p.peer.port())
	for _, f := range s.Flows {
		f.octets = make([]int, int(seconds(s.Length)/interval))
	}
	return p
}

// freePort is a port nobody listens at, nor gets by chance: it is below those the system
// chooses from, and has as many digits; the tests of other packages have others, and each
// is given once.
func freePort(t *testing.T) string {
	for range 1000 {
		port := strconv.Itoa(18000 + int(lastPort.Add(1)%1000))
		if l, err := net.Listen("tcp4", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

var lastPort atomic.Uint32

func init() { lastPort.Store(rand.Uint32N(1000)) } // two runs at once begin elsewhere

func (p *play) expand(text string) string { return p.values.Replace(text) }

func (p *play) configure(lines []string) {
	own := "\n" + strings.Join(lines, "\n") + "\n"
	text := base
	for _, d := range [][2]string{{"cache_mem", "8 MB"}, {"cache_dir", "null {CONF_DIR}"}} {
		if !strings.Contains(own, "\n"+d[0]+" ") {
			text += d[0] + " " + d[1] + "\n"
		}
	}
	text += own + "http_access allow all\n"
	if err := os.WriteFile(filepath.Join(p.dir, "squid.conf"), []byte(p.expand(text)), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// run plays it and reports whether the proxy started.
func (p *play) run(bin string) (started bool) {
	p.configure(p.s.Conf)
	conf := filepath.Join(p.dir, "squid.conf")
	if strings.Contains(strings.Join(p.s.Conf, "\n"), "cache_dir ufs") {
		if out, err := exec.Command(bin, "-z", "-f", conf).CombinedOutput(); err != nil {
			p.t.Fatalf("-z: %v: %s", err, out)
		}
	}
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	proxy := exec.CommandContext(ctx, bin, "-N", "-D", "-f", conf)
	proxy.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := proxy.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { proxy.Wait(); close(ended) }()
	defer func() {
		proxy.Process.Signal(unix.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			p.t.Error("the proxy does not end")
		}
	}()
	ready := time.Now()
	for {
		if c, err := net.Dial("tcp4", "127.0.0.1:"+p.expand("{PORT}")); err == nil {
			c.Close()
			break
		}
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	time.Sleep(seconds(p.s.Settle))
	p.began = time.Now()
	p.uptime = time.Since(ready)
	var flows sync.WaitGroup
	for _, f := range p.s.Flows {
		flows.Go(func() { f.run(p) })
	}
	for _, e := range p.s.Events {
		time.Sleep(time.Until(p.began.Add(seconds(e.At))))
		if e.Conf != nil {
			p.configure(e.Conf)
		}
		if e.Signal == "HUP" {
			proxy.Process.Signal(unix.SIGHUP)
		}
	}
	flows.Wait()
	select {
	case <-ended:
		p.t.Error("the proxy has ended")
	default:
	}
	return true
}
