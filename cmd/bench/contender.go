package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// contender is one proxy to measure.
type contender struct {
	name string
	bin  string
	// conf writes the configuration into dir for the given ports; cached is that of
	// the same program as a cache, nil where it is none. prepare, where there is one,
	// is run before the start.
	conf, cached func(dir string, ports ports) string
	prepare      func(conf string) []string
	// args start it in the foreground with that configuration.
	args func(conf string) []string
	env  []string
	// forward proxies take absolute URIs and CONNECT; reverse ones a path, and
	// have a plain TCP port in the place of CONNECT.
	forward bool
	// uncounted is a program whose processes do not count, though this one starts them.
	uncounted string
}

// ports are where a contender listens and where the origin is.
type ports struct {
	listen, tcp    int
	origin, tunnel int
	mode           cacheMode
}

// contenders lists ours, with two processors and with one, another build of ours
// when one is named, and the others that are installed.
func contenders(bin, against string, with []string) []contender {
	list := ours("cuttle", bin)
	if against != "" {
		list = append(list, ours("against", against)...)
	}
	others := []contender{
		{name: "nginx", bin: "nginx", conf: nginxConf, cached: nginxCacheConf, args: func(c string) []string { return []string{"-c", c} }},
		{name: "haproxy", bin: "haproxy", conf: haproxyConf, cached: haproxyCacheConf, args: func(c string) []string { return []string{"-f", c, "-db"} }},
		{name: "trafficserver", bin: "traffic_server", cached: trafficServerConf, args: trafficServerArgs},
		{name: "squid", bin: "squid", conf: squid5Conf, cached: squid5CacheConf, args: squidArgs, prepare: squidDirs, forward: true},
	}
	for _, c := range others {
		path, err := exec.LookPath(c.bin)
		if err != nil {
			path, err = exec.LookPath(filepath.Join("/usr/sbin", c.bin))
		}
		for _, w := range with {
			if w == c.name && err == nil {
				c.bin = path
				list = append(list, c)
			}
		}
	}
	return list
}

// ours is a build of ours with two processors and with one.
func ours(name, bin string) []contender {
	two := contender{name: name + ", 2 processors", bin: bin, conf: squidConf, cached: squidCacheConf, args: squidArgs, prepare: squidDirs, forward: true}
	two.env = []string{"GOMAXPROCS=2"}
	one := two
	one.name, one.env = name+", 1 processor", []string{"GOMAXPROCS=1"}
	return []contender{two, one}
}

func squidDirs(conf string) []string { return []string{"-f", conf, "-z", "-N"} }

func squidArgs(conf string) []string { return []string{"-f", conf, "-N", "-D"} }

const squidCommon = `http_port 127.0.0.1:%d
visible_hostname bench.test
cache_log %[2]s/cache.log
access_log %[2]s/access.log squid
cache_store_log none
pid_filename %[2]s/squid.pid
coredump_dir %[2]s
hosts_file none
shutdown_lifetime 1 second
`

// only26 is what 2.6 asks for and 5 refuses.
const only26 = "icp_port 0\nacl all src 0.0.0.0/0.0.0.0\n"

// squidText is a configuration with the lines of a version and those about caching.
func squidText(dir string, p ports, version, cache string) string {
	return fmt.Sprintf(squidCommon, p.listen, dir) + version + cache + "http_access allow all\n"
}

func squidConf(dir string, p ports) string {
	return squidText(dir, p, only26, "cache_dir null "+dir+"\ncache deny all\n")
}

func squid5Conf(dir string, p ports) string { return squidText(dir, p, "", "cache deny all\n") }

const nginxCommon = `daemon off;
user nobody nogroup;
worker_processes 2;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 20000; }
http {
  %[4]s
  access_log %[1]s/access.log combined;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3;
  uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  upstream o { server 127.0.0.1:%[3]d; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:%[2]d;
    location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection ""; %[5]s }
  }
}
`

func nginxConf(dir string, p ports) string {
	return fmt.Sprintf(nginxCommon, dir, p.listen, p.origin, "", "proxy_max_temp_file_size 0;")
}

const haproxyCommon = `global
  maxconn 6000
  user nobody
  group nogroup
  log %[1]s/log.sock local0
%[6]s
defaults
  log global
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend h
  mode http
  option httplog
  bind 127.0.0.1:%[2]d
  default_backend o
backend o
  mode http
  http-reuse always
%[7]s
  server s 127.0.0.1:%[4]d
listen t
  mode tcp
  option splice-auto
  bind 127.0.0.1:%[3]d
  server s 127.0.0.1:%[5]d
`

func haproxyConf(dir string, p ports) string {
	return fmt.Sprintf(haproxyCommon, dir, p.listen, p.tcp, p.origin, p.tunnel, "", "")
}

// running is a contender at work.
type running struct {
	contender
	ports
	cmd *exec.Cmd
	dir string
	log net.PacketConn
}

// start runs the contender in front of the origin, where it needs to know one, as a
// cache unless mode is noCache.
func (c contender) start(o *origin, mode cacheMode) (*running, error) {
	write := c.conf
	if mode != noCache {
		write = c.cached
	}
	if write == nil {
		return nil, fmt.Errorf("does not take part")
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	os.Chmod(dir, 0o777)
	r := &running{contender: c, dir: dir}
	if o != nil {
		r.origin, r.tunnel = portOf(o.http), portOf(o.tunnel)
	}
	r.listen, r.tcp = freePort(), freePort()
	r.mode = mode
	if strings.HasPrefix(c.name, "haproxy") { // somebody has to read its log
		if r.log, err = net.ListenPacket("unixgram", filepath.Join(dir, "log.sock")); err != nil {
			return nil, err
		}
		os.Chmod(filepath.Join(dir, "log.sock"), 0o777)
		go drain(r.log)
	}
	conf := filepath.Join(dir, "conf.yaml")
	if err := os.WriteFile(conf, []byte(write(dir, r.ports)), 0o644); err != nil {
		return nil, err
	}
	if c.prepare != nil && mode == fromDisk {
		if out, err := exec.Command(c.bin, c.prepare(conf)...).CombinedOutput(); err != nil {
			os.RemoveAll(dir)
			return nil, fmt.Errorf("%s: %v: %s", c.name, err, out)
		}
	}
	r.cmd = exec.Command(c.bin, c.args(conf)...)
	r.cmd.Dir, r.cmd.Env = dir, append(os.Environ(), c.env...)
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		return nil, err
	}
	defer out.Close()
	r.cmd.Stdout, r.cmd.Stderr = out, out
	if err := r.cmd.Start(); err != nil {
		if r.log != nil {
			r.log.Close()
		}
		os.RemoveAll(dir)
		return nil, err
	}
	r.begun()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp4", r.address()); err == nil {
			conn.Close()
			return r, nil
		}
	}
	said, _ := os.ReadFile(filepath.Join(dir, "out"))
	r.stop()
	return nil, fmt.Errorf("%s did not start: %s", c.name, strings.TrimSpace(string(said)))
}

func drain(c net.PacketConn) {
	buf := make([]byte, 65536)
	for {
		if _, _, err := c.ReadFrom(buf); err != nil {
			return
		}
	}
}

func (r *running) stop() {
	if !r.over() {
		return
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() { r.cmd.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		r.cmd.Process.Kill()
		<-ended
	}
	if r.log != nil {
		r.log.Close()
	}
	os.RemoveAll(r.dir)
}

func (r *running) address() string { return fmt.Sprintf("127.0.0.1:%d", r.listen) }

// target is what a request line names for a path of the origin.
func (r *running) target(path string) string {
	if r.forward {
		return fmt.Sprintf("http://127.0.0.1:%d%s", r.origin, path)
	}
	return path
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// freePort is a port nobody listens at, nor gets by chance: it is below those the system
// chooses from.
func freePort() int {
	for {
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(10000)))
		if err == nil {
			defer l.Close()
			return portOf(l)
		}
	}
}

// processorTime is what the contender has spent.
func (r *running) processorTime() time.Duration {
	return processorTime(r.cmd.Process.Pid, r.uncounted)
}
