package wccp2

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// replayEnv chooses the scenarios of TestReplayScenarios: "2/3" for the second
// third, "all", or names with commas. Without it each day takes another third of
// those that are soon over, since the protocol's own timers make the others last
// up to two minutes. In memory, with a clock that jumps, TestReplay plays them all.
const replayEnv = "CUTTLE_WCCP_REPLAY"

// soonOver is how long a scenario may last, in seconds, to be played every third day.
const soonOver = 45

// chosen picks the scenarios to play on sockets.
func chosen(t *testing.T, all []*scenario) []*scenario {
	which := os.Getenv(replayEnv)
	if which == "" {
		which = fmt.Sprintf("%d/3", 1+time.Now().YearDay()%3)
		all = slices.DeleteFunc(all, func(s *scenario) bool { return s.Seconds > soonOver })
	}
	part, of := 0, 0
	if n, _ := fmt.Sscanf(which, "%d/%d", &part, &of); n == 2 && of > 0 {
		var some []*scenario
		for i, s := range all {
			if i%of == part%of {
				some = append(some, s)
			}
		}
		return some
	}
	if which == "all" {
		return all
	}
	var some []*scenario
	for _, s := range all {
		for _, name := range strings.Split(which, ",") {
			if s.Name == name {
				some = append(some, s)
			}
		}
	}
	if len(some) == 0 {
		t.Fatalf("%s=%s names no scenario", replayEnv, which)
	}
	return some
}

// TestReplayScenarios plays recorded scenarios against the real program: routers
// in one namespace, squid in another, all scenarios side by side.
func TestReplayScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes of the protocol's timers")
	}
	t.Parallel()
	network := netlab.ForTest(t)
	dir := t.TempDir()
	for at := dir; len(at) > 1 && at != os.TempDir(); at = filepath.Dir(at) {
		os.Chmod(at, 0o755) // squid gives up its rights
	}
	bin := filepath.Join(dir, "squid")
	build := exec.Command("go", "build", "-o", bin, "../cmd/squid")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	type played struct {
		s     *scenario
		stage *stage
	}
	var wait sync.WaitGroup
	var plays []played
	for i, s := range chosen(t, loadScenarios(t)) {
		p := played{s, newStage(t, network, s, i, bin, dir)}
		plays = append(plays, p)
		wait.Go(p.stage.play)
	}
	wait.Wait()
	for _, p := range plays {
		t.Run(p.s.Name, func(t *testing.T) { p.stage.compare(t, p.s) })
	}
}

// stage is one scenario on sockets.
type stage struct {
	s     *scenario
	squid *netlab.Process
	socks map[netip.Addr]*net.UDPConn
	begun time.Time
	alive bool // at the end

	mu   sync.Mutex // of everything below, and of the lab
	lab  *lab
	sent []rawSent
}

type rawSent struct {
	t  float64
	to netip.Addr
	b  []byte
}

func newStage(t *testing.T, network *netlab.Lab, s *scenario, i int, bin, dir string) *stage {
	st := &stage{s: s, lab: newLab(t, s), socks: map[netip.Addr]*net.UDPConn{}}
	routers, cache := network.Node(fmt.Sprintf("r%d", i)), network.Node(fmt.Sprintf("k%d", i))
	var addrs []string
	for _, r := range st.lab.routers {
		addrs = append(addrs, r.addr.String()+"/16")
	}
	network.Link(netlab.End{Node: routers, Name: "e0", Addrs: addrs}, netlab.End{Node: cache, Name: "e0", Addrs: []string{selfAddr.String() + "/16"}})
	for _, r := range st.lab.routers {
		var c net.PacketConn
		err := routers.Do(func() (err error) {
			c, err = new(net.ListenConfig).ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(r.addr, wire.Port).String())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		st.socks[r.addr] = c.(*net.UDPConn)
	}
	st.lab.send = func(from, to netip.Addr, b []byte) {
		st.socks[from].WriteToUDPAddrPort(b, netip.AddrPortFrom(to, wire.Port)) // lost, as packets are
	}
	conf := filepath.Join(dir, s.Name+".conf")
	if err := os.WriteFile(conf, []byte(st.conf(t, filepath.Join(dir, s.Name))), 0o644); err != nil {
		t.Fatal(err)
	}
	var err error
	st.begun = time.Now()
	cmd := exec.Command(bin, "-N", "-D", "-f", conf)
	if st.squid, err = cache.Start(cmd); err != nil {
		t.Fatal(err)
	}
	return st
}

var placeholder = regexp.MustCompile(`@(R\d+|SELF)@`)

func (st *stage) conf(t *testing.T, base string) string {
	lines := []string{
		"acl all src 0.0.0.0/0.0.0.0", "http_access allow all", "http_port 3128", "icp_port 0", "visible_hostname cache.test",
		"pid_filename " + base + ".pid", "cache_log " + base + ".log", "access_log none", "cache_store_log none", "cache_dir null " + filepath.Dir(base),
		"hosts_file none", "dns_nameservers 127.0.0.1", "shutdown_lifetime 1 second", "cache_effective_user nobody",
	}
	for _, l := range st.s.Conf {
		lines = append(lines, placeholder.ReplaceAllStringFunc(l, func(p string) string { return place(t, p).String() }))
	}
	os.WriteFile(base+".log", nil, 0o666)
	os.Chmod(base+".log", 0o666)
	return strings.Join(lines, "\n") + "\n"
}

// play is the scenario's time.
func (st *stage) play() {
	for addr, c := range st.socks {
		go st.listen(addr, c)
	}
	events := st.s.Events
	end := st.begun.Add(seconds(st.s.Seconds))
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for now := st.begun; now.Before(end); now = <-tick.C {
		st.mu.Lock()
		st.lab.now = now.Sub(st.begun).Seconds()
		for len(events) > 0 && events[0].At <= st.lab.now {
			if name := events[0].Command.Name; events[0].Command.Cmd == "signal" {
				st.squid.Cmd.Process.Signal(map[string]syscall.Signal{"SIGHUP": syscall.SIGHUP, "SIGTERM": syscall.SIGTERM}[name])
			} else {
				st.lab.command(events[0])
			}
			events = events[1:]
		}
		st.lab.tick()
		st.mu.Unlock()
	}
	st.alive = st.squid.Cmd.Process.Signal(syscall.Signal(0)) == nil
	st.squid.Cmd.Process.Kill()
	for _, c := range st.socks {
		c.Close()
	}
}

func (st *stage) listen(addr netip.Addr, c *net.UDPConn) {
	b := make([]byte, 1<<16)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		st.mu.Lock()
		st.lab.now = time.Since(st.begun).Seconds()
		st.sent = append(st.sent, rawSent{st.lab.now, addr, append([]byte(nil), b[:n]...)})
		st.lab.receive(addr, from.Addr().Unmap(), b[:n])
		st.mu.Unlock()
	}
}

// compare holds what was sent against the recording.
func (st *stage) compare(t *testing.T, s *scenario) {
	st.mu.Lock()
	defer st.mu.Unlock()
	ended := len(s.Events) > 0 && s.Events[len(s.Events)-1].Command.Name == "SIGTERM"
	if !st.alive && !ended {
		t.Error("squid has ended")
	}
	var sent []sentPacket
	for _, p := range st.sent {
		sent = append(sent, newSent(t, p.t, Action{To: netip.AddrPortFrom(p.to, wire.Port), Datagram: p.b}))
	}
	if s.Judge == "oracle" {
		compare(t, s, sent, st.lab, 12) // a machine under load is late
	}
	for _, r := range s.Rules {
		obey(t, r, sent, st.lab)
	}
}
