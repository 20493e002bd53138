package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// headLines begin every squid.conf; a scenario line with the same directive
// replaces a line here.
var headLines = []string{
	"icp_port 0",
	"htcp_port 0",
	"snmp_port 0",
	"visible_hostname proxy.test",
	"hosts_file {CONF_DIR}/hosts",
	"minimum_icp_query_timeout 2000", // 5 ms as it is, in which a busy machine does not answer
	"dns_nameservers 127.0.0.9",
	"dns_timeout 2 seconds",
	"dns_retransmit_interval 1 second",
	"cache_log {CONF_DIR}/cache.log",
	"cache_store_log none",
	"pid_filename {CONF_DIR}/squid.pid",
	"coredump_dir {CONF_DIR}",
	"error_directory {CONF_DIR}", // not the templates another Squid left on this machine
	"cache_mem 8 MB",
	"shutdown_lifetime 1 second",
	"acl all src 0.0.0.0/0.0.0.0",
}

var replaceable = []string{"icp_port", "snmp_port", "htcp_port", "visible_hostname", "hosts_file", "minimum_icp_query_timeout", "dns_nameservers",
	"dns_timeout", "dns_retransmit_interval", "shutdown_lifetime", "cache_mem", "error_directory", "cache_store_log"}

const hostsFile = `127.0.0.1 localhost
127.0.0.1 origin.test www.origin.test other.test a.b.example.test UPPER.test
127.0.0.1 under_score.test backend.test cdn.test site1.test site2.test
`

// buildConf completes a scenario's lines to a squid.conf.
func buildConf(lines []string, v *values, extra []string) string {
	words := map[string]bool{}
	ownPort := false
	for _, l := range lines {
		if f := strings.Fields(l); len(f) > 0 && !strings.HasPrefix(l, "#") {
			words[f[0]] = true
		}
		ownPort = ownPort || strings.HasPrefix(l, "http_port") && strings.Contains(l, "{PORT}")
	}
	var out []string
	if !ownPort {
		out = append(out, "http_port 127.0.0.1:{PORT}")
	}
	for _, l := range headLines {
		if word := strings.Fields(l)[0]; !words[word] || !slices.Contains(replaceable, word) {
			out = append(out, l)
		}
	}
	if !words["access_log"] && !words["cache_access_log"] {
		out = append(out, "access_log {CONF_DIR}/access.log squid")
	}
	if !words["cache_dir"] {
		out = append(out, "cache_dir null {CONF_DIR}")
	}
	out = append(out, extra...)
	closed := slices.Contains(lines, "NO_DEFAULT_ACCESS")
	for _, l := range lines {
		if l != "NO_DEFAULT_ACCESS" {
			out = append(out, l)
		}
	}
	if !closed {
		out = append(out, "http_access allow all")
		if !words["icp_access"] {
			out = append(out, "icp_access allow all")
		}
	}
	for i := range out {
		out[i] = v.expand(out[i])
	}
	return strings.Join(out, "\n") + "\n"
}

// proxy is one running instance of the binary under test.
type proxy struct {
	bin, dir string
	vals     *values
	sc       *scenario
	extra    []string
	limit    time.Duration // for the start

	cmd     *exec.Cmd
	ended   chan struct{}
	offsets map[string]int64
}

func (p *proxy) confPath() string { return filepath.Join(p.dir, "squid.conf") }

func (p *proxy) write(lines []string) error {
	return os.WriteFile(p.confPath(), []byte(buildConf(lines, p.vals, p.extra)), 0o644)
}

// install makes the instance's folder: hosts file, the scenario's files, the
// configuration, the cache directories. All is world-writable, because the
// binary gives root up.
func (p *proxy) install() error {
	if err := os.WriteFile(filepath.Join(p.dir, "hosts"), []byte(hostsFile), 0o644); err != nil {
		return err
	}
	for name, content := range p.sc.Files {
		path := filepath.Join(p.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		os.Chmod(filepath.Dir(path), 0o777)
		if err := os.WriteFile(path, []byte(p.vals.expand(content)), 0o755); err != nil {
			return err
		}
		os.Chmod(path, 0o755)
	}
	if err := p.write(p.sc.Conf); err != nil {
		return err
	}
	for _, l := range p.sc.Conf {
		if strings.HasPrefix(l, "cache_dir") && !strings.Contains(l, " null ") {
			cmd := exec.Command(p.bin, "-f", p.confPath(), "-z")
			cmd.Dir = p.dir
			return cmd.Run()
		}
	}
	return nil
}

// start runs the binary and waits until its ports listen; false when it ends
// or takes too long.
func (p *proxy) start() bool {
	out, err := os.OpenFile(filepath.Join(p.dir, "stdout"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return false
	}
	defer out.Close()
	p.cmd = exec.Command(p.bin, "-f", p.confPath(), "-N", "-D")
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.dir, out, out
	p.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "http_proxy=") || strings.HasPrefix(v, "https_proxy=") ||
			strings.HasPrefix(v, "TZ=") || strings.HasPrefix(v, "LC_ALL=")
	}), "TZ=UTC", "LC_ALL=C")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if p.cmd.Start() != nil {
		return false
	}
	ended := make(chan struct{})
	p.ended = ended
	go func(cmd *exec.Cmd) { cmd.Wait(); close(ended) }(p.cmd)
	for deadline := time.Now().Add(p.limit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if !p.running() {
			return false
		}
		if p.listening() {
			time.Sleep(50 * time.Millisecond)
			return true
		}
	}
	return false
}

func (p *proxy) running() bool {
	if p.ended == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// listening says whether every TCP port the scenario names for the proxy is open.
func (p *proxy) listening() bool {
	tcp4, _ := os.ReadFile("/proc/net/tcp")
	tcp6, _ := os.ReadFile("/proc/net/tcp6")
	open := map[string]bool{}
	for _, table := range [][]byte{tcp4, tcp6} {
		for line := range bytes.Lines(table) {
			f := strings.Fields(string(line))
			if len(f) > 3 && f[3] == "0A" {
				open[f[1][strings.LastIndexByte(f[1], ':')+1:]] = true
			}
		}
	}
	p.vals.mu.Lock()
	defer p.vals.mu.Unlock()
	for name, port := range p.vals.ports {
		if strings.HasPrefix(name, "PORT") && !strings.HasPrefix(name, "PORT_U") && !open[fmt.Sprintf("%04X", port)] {
			return false
		}
	}
	return true
}

// stop ends the instance and gives its exit status, negative for a signal.
func (p *proxy) stop() any {
	if p.cmd == nil || p.cmd.Process == nil {
		return nil
	}
	if p.running() {
		p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(8 * time.Second):
			p.cmd.Process.Kill()
			<-p.ended
			return "had to be killed"
		}
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return float64(-int(status.Signal()))
	}
	return float64(status.ExitStatus())
}

// logText gives what was added to a log since markLogs; false when it is absent.
func (p *proxy) logText(name string) (string, bool) {
	data, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		return "", false
	}
	from := p.offsets[name]
	if from > int64(len(data)) {
		from = 0
	}
	return string(data[from:]), true
}

func (p *proxy) markLogs(names []string) {
	for _, name := range names {
		p.offsets[name] = 0
		if info, err := os.Stat(filepath.Join(p.dir, name)); err == nil {
			p.offsets[name] = info.Size()
		}
	}
}

// tail gives the last words of a process that did not start.
func (p *proxy) tail() string {
	var text string
	for _, name := range []string{"stdout", "cache.log"} {
		data, _ := os.ReadFile(filepath.Join(p.dir, name))
		text += string(data[max(0, len(data)-600):])
	}
	text = strings.TrimSpace(text)
	return text[max(0, len(text)-300):]
}
