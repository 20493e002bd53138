package peers

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// base is what every configuration begins with; @DIR@ is its folder.
const base = `acl all src 0.0.0.0/0.0.0.0
acl manager proto cache_object
acl PURGE method PURGE
http_port 23128
icp_port 23130
htcp_port 24827
visible_hostname cache.test
cache_effective_user nobody
pid_filename @DIR@/squid.pid
cache_log @DIR@/cache.log
access_log @DIR@/access.log squid
cache_store_log none
cache_dir null @DIR@/null
coredump_dir @DIR@
cache_mem 8 MB
hosts_file none
dns_nameservers 127.0.0.53
pinger_program /bin/true
shutdown_lifetime 1 second
half_closed_clients off
refresh_pattern . 0 20% 4320
`

// replaceable are the lines of base a scenario's own take the place of.
var replaceable = strings.Fields("http_port icp_port htcp_port visible_hostname cache_dir cache_mem refresh_pattern pinger_program")

// play is a scenario being played.
type play struct {
	t   *testing.T
	s   *scenario
	dir string

	mu        sync.Mutex // guards what follows, and the rules of neighbours
	steps     []seen
	via       string // as the proxy writes it
	listeners map[string]net.Listener
}

func newPlay(t *testing.T, s *scenario, dir string) *play {
	return &play{t: t, s: s, dir: dir, via: "1.0 cache.test:23128 (squid)", listeners: map[string]net.Listener{}}
}

func (p *play) note(f func(*seen)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.steps); n > 0 {
		f(&p.steps[n-1])
	}
}

func (s *seen) query(name, text string) {
	if s.Queries == nil {
		s.Queries = map[string][]string{}
	}
	s.Queries[name] = append(s.Queries[name], text)
}

// run plays it in the namespace this process is in.
func (p *play) run(bin string) (out outcome) {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.udp(namesAt, 53, p.names)
	p.listen("origin", originAt, originPort)
	for _, name := range names(p.s) {
		n := p.s.Peers[name]
		p.listen(name, n.Addr, peerHTTP)
		port := peerICP
		if n.ICPPort != 0 {
			port = n.ICPPort
		}
		if n.ICP != nil || n.ICPListen {
			p.udp(n.Addr, port, p.icp(name))
		}
		if n.HTCP != nil {
			p.udp(n.Addr, peerHTCP, p.htcp(name))
		}
	}
	p.configure()
	proxy := exec.Command(bin, "-N", "-D", "-f", filepath.Join(p.dir, "squid.conf"))
	proxy.Env = append(os.Environ(), "TZ=UTC")
	proxy.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := proxy.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { proxy.Wait(); close(ended) }()
	if out.Started = p.up(ended); out.Started {
		if p.s.OneSecond {
			time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
		}
		for i := range p.s.Steps {
			p.mu.Lock()
			p.steps = append(p.steps, seen{})
			p.mu.Unlock()
			p.step(&p.s.Steps[i])
			time.Sleep(60 * time.Millisecond) // what is still on its way belongs to this step
		}
		time.Sleep(200 * time.Millisecond)
	}
	proxy.Process.Signal(unix.SIGTERM)
	<-ended
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.steps {
		slices.Sort(p.steps[i].Asked)
	}
	out.Steps = p.steps
	out.Access = p.access()
	return out
}

// up waits until the proxy listens; false when it ends instead.
func (p *play) up(ended chan struct{}) bool {
	for {
		if c, err := net.Dial("tcp4", "127.0.0.1:"+strconv.Itoa(proxyHTTP)); err == nil {
			c.Close()
			time.Sleep(200 * time.Millisecond) // its other ports follow
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *play) configure() {
	conf, own := base, "\n"
	for _, line := range p.s.Conf {
		own += line + "\n"
		if w := strings.Fields(line)[0]; slices.Contains(replaceable, w) {
			if at := strings.Index(conf, w+" "); at >= 0 {
				conf = conf[:at] + conf[at+strings.Index(conf[at:], "\n")+1:]
			}
		}
	}
	conf += own[1:]
	for _, list := range []string{"http_access", "icp_access", "htcp_access"} {
		if !strings.Contains(own, "\n"+list+" ") {
			conf += list + " allow all\n"
		}
	}
	if err := os.Mkdir(filepath.Join(p.dir, "null"), 0o777); err != nil {
		p.t.Fatal(err)
	}
	write := func(name, text string) {
		text = strings.NewReplacer("@DIR@", p.dir, "@NOW@", strconv.FormatInt(time.Now().Unix(), 10)).Replace(text)
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o666); err != nil {
			p.t.Fatal(err)
		}
	}
	write("squid.conf", conf)
	for name, text := range p.s.Files {
		write(name, text)
	}
}

// access is access.log: code, method, URL and hierarchy field of each line.
func (p *play) access() (list []string) {
	b, _ := os.ReadFile(filepath.Join(p.dir, "access.log"))
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		_, rest, _ := strings.Cut(line, " "+f[2]+" ")
		if f = strings.Split(rest, " "); len(f) == 7 { // a URL may be empty
			list = append(list, strings.Join([]string{f[0], f[2], f[3], f[5]}, " "))
		}
	}
	return list
}

func (p *play) step(st *step) {
	switch {
	case st.Get != "":
		p.get(st)
	case st.ICP != nil:
		p.send(st, st.ICP.icp(), proxyICP, icpText)
	case st.HTCP != nil:
		p.send(st, st.HTCP.htcp(), proxyHTCP, htcpText)
	case st.Pause > 0:
		time.Sleep(time.Duration(st.Pause) * time.Millisecond)
	case st.Peer != "":
		p.change(st)
	}
}

func (p *play) change(st *step) {
	p.mu.Lock()
	n, l := p.s.Peers[st.Peer], p.listeners[st.Peer]
	for protocol, text := range st.Set {
		var r rules
		if string(text) != "null" {
			if err := json.Unmarshal(text, &r); err != nil {
				p.t.Error(err)
			}
		}
		switch protocol {
		case "icp":
			n.ICP = r
		case "htcp":
			n.HTCP = r
		case "http":
			n.HTTP = r
		}
	}
	p.mu.Unlock()
	if st.Down {
		l.Close()
	}
	if st.Up {
		p.listen(st.Peer, n.Addr, peerHTTP)
	}
}

// answered reports whether a packet came back in the step that is being played.
func (p *play) answered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := len(p.steps) - 1
	return i < len(p.s.Want.Steps) && len(p.s.Want.Steps[i].Replies) > 0
}

// send sends a packet to the proxy and keeps what comes back.
func (p *play) send(st *step, packet []byte, port int, text func([]byte) string) {
	from, to := askerAt, "127.0.0.1"
	if st.From != "" {
		from = st.From
	}
	if st.To != "" {
		to = st.To
	}
	host, local, _ := strings.Cut(from, ":")
	n, _ := strconv.Atoi(local)
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(host), Port: n})
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	c.WriteToUDP(packet, &net.UDPAddr{IP: net.ParseIP(to), Port: port})
	wait := 300
	switch {
	case st.Wait > 0:
		wait = st.Wait
	case p.answered() && !st.All:
		wait = 10000 // it comes, be the machine ever so busy
	}
	c.SetReadDeadline(time.Now().Add(time.Duration(wait) * time.Millisecond))
	b := make([]byte, 64<<10)
	for {
		got, who, err := c.ReadFromUDP(b)
		if err != nil {
			return
		}
		if !st.AnySource && who.IP.String() != to {
			continue
		}
		p.note(func(s *seen) { s.Replies = append(s.Replies, text(b[:got])) })
		if !st.All {
			return
		}
	}
}

// get sends a request and keeps what of the reply is compared.
func (p *play) get(st *step) {
	var d net.Dialer
	if st.From != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(st.From)}
	}
	c, err := d.Dial("tcp4", "127.0.0.1:"+strconv.Itoa(proxyHTTP))
	if err != nil {
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(25 * time.Second))
	method, version := "GET", "1.0"
	if st.Method != "" {
		method = st.Method
	}
	if st.HTTP != "" {
		version = st.HTTP
	}
	head := fmt.Sprintf("%s %s HTTP/%s\r\n", method, st.Get, version)
	p.mu.Lock()
	for _, field := range st.Headers {
		head += strings.ReplaceAll(field, "@VIA@", p.via) + "\r\n"
	}
	p.mu.Unlock()
	head += "User-Agent: peercheck\r\n"
	if st.Body != "" {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(st.Body))
	}
	io.WriteString(c, head+"\r\n"+st.Body)
	b, _ := io.ReadAll(c)
	top, body, _ := strings.Cut(string(b), "\r\n\r\n")
	p.note(func(s *seen) {
		if f := strings.Fields(top); len(f) > 1 {
			s.Status, _ = strconv.Atoi(f[1])
		}
		for line := range strings.SplitSeq(top, "\r\n") {
			if value, ok := strings.CutPrefix(line, "X-Cache: "); ok {
				s.XCache = value
			}
		}
		if s.Status == 200 && !strings.Contains(st.Get, "squid-internal") {
			first, _, _ := strings.Cut(body, "\n")
			s.Body = first[:min(len(first), 60)]
		}
	})
}
