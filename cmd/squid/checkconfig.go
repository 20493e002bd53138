package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/cmd/squid/intercept"
	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// checkConfigOrder is -k check-config: everything a start would stumble over,
// at once and without starting. First the file with all that can be said about it,
// then, where 2.6 would accept it, one line for each thing it needs of the
// machine: users, ports, files, programs, names, limits, and for interception
// the preflight. The exit status is 0, or not when anything fails.
func checkConfigOrder(inv *invocation) int {
	cfg, report := conf.Load(inv.flags.confFile, conf.Options{World: resolvingWorld{}, Lint: true})
	writeLegacyLines(inv.stderr, report, time.Now())
	report.Explain(inv.stderr, true)
	if cfg == nil {
		return max(report.Exit, exitBad)
	}
	findings := append(refusalFindings(report), machineFindings(inv, inv.override(cfg))...)
	findings = append(findings, pageFindings(cfg)...)
	write := host.WriteText
	if inv.asked("json") {
		write = host.WriteJSON
	}
	if err := write(inv.stdout, findings); err != nil {
		fmt.Fprintln(inv.stderr, "ERROR: "+err.Error())
		return exitBad
	}
	if host.Worst(findings) == host.Fail {
		return exitBad
	}
	return report.Exit
}

// pageFindings are what a start ends at when it reads the error pages.
func pageFindings(cfg *conf.Config) (list []host.Finding) {
	_, err := errpage.Load(&cfg.ErrorPageSettings, errpage.Env{})
	if err == nil {
		return nil
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		list = append(list, host.Finding{ID: "page", Level: host.Fail, Fact: line, Remedy: "put the page into error_directory, or take the line out"})
	}
	return list
}

// refusalFindings are what a start ends at although the file was read.
func refusalFindings(report *conf.Report) (list []host.Finding) {
	for _, why := range report.Harmful() {
		list = append(list, host.Finding{ID: "without-effect", Level: host.Fail, Fact: why, Remedy: "take it out of the file"})
	}
	return list
}

func machineFindings(inv *invocation, cfg *conf.Config) []host.Finding {
	id, err := privsep.LookUp(cfg)
	if err != nil {
		return []host.Finding{{ID: "user", Level: host.Fail, Fact: err.Error(), Remedy: "create the user, or name another in cache_effective_user"}}
	}
	copyPid := runningCopy(cfg.PidFilename)
	var list []host.Finding
	list = append(list, copyFinding(cfg, copyPid))
	list = append(list, fileFindings(inv, cfg, id)...)
	list = append(list, swapFindings(cfg)...)
	list = append(list, successorFindings(cfg, id, successorFolder, trialPatience)...)
	list = append(list, nameFindings(cfg)...)
	list = append(list, descriptorFinding(cfg))
	if intercept.Wanted(cfg) {
		i := intercept.Inspection(cfg)
		i.Running = copyPid != 0
		return append(list, host.Preflight(i)...) // the ports are among it
	}
	return append(list, portFindings(cfg, copyPid)...)
}

func copyFinding(cfg *conf.Config, pid int) host.Finding {
	if pid != 0 {
		return host.Finding{ID: "running", Level: host.OK, Fact: fmt.Sprintf("a copy is running (process %d of %s): its ports count as free", pid, cfg.PidFilename)}
	}
	return host.Finding{ID: "running", Level: host.OK, Fact: "no copy is running"}
}

// portFindings tries to listen on every port; what a running copy of ours has
// it may keep.
func portFindings(cfg *conf.Config, copyPid int) (list []host.Finding) {
	n, err := intercept.NewNetwork(cfg)
	if err != nil {
		return []host.Finding{{ID: "ports", Level: host.Fail, Fact: err.Error()}}
	}
	defer n.Close()
	if len(cfg.HTTPPorts) == 0 && len(cfg.HTTPSPorts) == 0 {
		return []host.Finding{{ID: "ports", Level: host.Fail, Fact: "no port is defined", Remedy: "http_port 3128"}}
	}
	for _, p := range cfg.Ports() {
		ls, err := n.Listen(context.Background(), p)
		for _, l := range ls {
			l.Close()
		}
		f := host.Finding{ID: "port", Level: host.OK, Fact: fmt.Sprintf("http_port %v can be had", p.Addr)}
		switch {
		case err != nil && copyPid != 0:
			f.Fact = fmt.Sprintf("http_port %v is taken, as it is while a copy runs", p.Addr)
		case err != nil:
			f.Level, f.Fact = host.Fail, "http_port: "+err.Error()
		}
		list = append(list, f)
	}
	return list
}

// fileFindings asks whether the user the proxy will be may use what the
// configuration names.
func fileFindings(inv *invocation, cfg *conf.Config, id privsep.Identity) (list []host.Finding) {
	type need struct {
		probe
		directive, remedy string
		log               string // the log it is about, which the monitor opens where the user may not
	}
	var needs []need
	add := func(directive string, mode byte, path, remedy string) {
		if path != "" && path != "none" {
			needs = append(needs, need{probe: probe{mode, path}, directive: directive, remedy: remedy})
		}
	}
	owner := fmt.Sprintf("chown %s", cfg.CacheEffectiveUser)
	writable := func(directive, path string) { // the file when it is there, else its folder
		before := len(needs)
		defer func() {
			if len(needs) > before {
				needs[before].log = path
			}
		}()
		if _, err := os.Stat(path); err == nil {
			add(directive, 'w', path, owner+" "+path)
		} else if path != "" && path != "none" {
			add(directive, 'w', filepath.Dir(path), fmt.Sprintf("mkdir -p %[1]s; %[2]s %[1]s", filepath.Dir(path), owner))
		}
	}
	for _, ref := range cfg.External() {
		switch {
		case ref.Directive == "cache_dir" && isFolder(ref.Name+"/00"): // of the others swapFindings tells
			add("cache_dir", 'w', ref.Name, "squid -z; "+owner+" -R "+ref.Name)
		case ref.Kind == conf.RefWriteFile && ref.Directive != "pid_filename" && conf.Lookup(ref.Directive).Effect == conf.Acts:
			writable(ref.Directive, ref.Name)
		case ref.Kind == conf.RefProgram && strings.Contains(ref.Name, "/"):
			add(ref.Directive, 'x', ref.Name, movedProgram(ref.Name))
		case ref.Kind == conf.RefReadFile && ref.Directive == "hosts_file":
			add("hosts_file", 'r', ref.Name, "chmod a+r "+ref.Name)
		case ref.Kind == conf.RefFolder && ref.Directive == "error_directory" && isFolder(ref.Name): // without one the built-in texts serve
			add("error_directory", 'r', ref.Name, "chmod -R a+rX "+ref.Name)
		}
	}
	probes := make([]probe, len(needs))
	for i, n := range needs {
		probes[i] = n.probe
	}
	answers, err := askProbes(inv, id, probes)
	if err != nil {
		return []host.Finding{{ID: "files", Level: host.Fail, Fact: fmt.Sprintf("files could not be tried as user %s: %v", cfg.CacheEffectiveUser, err)}}
	}
	verb := map[byte]string{'r': "read", 'w': "written", 'x': "run"}
	for i, n := range needs {
		if n.log != "" && id.Change && errors.Is(answers[i], syscall.EACCES) {
			answers[i] = privsep.CouldOpenLog(n.log) // the monitor, which stays root, opens it
		}
		f := host.Finding{ID: "file", Level: host.OK, Fact: fmt.Sprintf("%s %s can be %s", n.directive, n.path, verb[n.mode])}
		if answers[i] != nil {
			f.Level, f.Remedy = host.Fail, n.remedy
			if d := conf.Lookup(n.directive); d != nil && d.Effect == conf.Pending {
				f.Level, f.Why = host.Warn, n.directive+" is not acted on in this release"
			}
			if n.directive == "cache_log" {
				f.Level, f.Why = host.Warn, "a start goes on without, says so, and tries again; its lines go to standard error or syslog"
			}
			f.Fact = fmt.Sprintf("%s %s cannot be %s: %s", n.directive, n.path, verb[n.mode], report.SystemText(answers[i]))
		}
		list = append(list, f)
	}
	if pid := cfg.PidFilename; pid != "" && pid != "none" && !isFolder(filepath.Dir(pid)) {
		list = append(list, host.Finding{ID: "file", Level: host.Fail, Fact: fmt.Sprintf("pid_filename %s: the folder is not there", pid),
			Why: "a daemon does not start without, and -k orders would not find it", Remedy: "mkdir -p " + filepath.Dir(pid)})
	}
	return list
}

// movedProgram is the advice for a helper that cannot be run: many went away with
// the package of the old Squid and live on under another name.
func movedProgram(path string) string {
	if now := conf.Successor(path); now != "" {
		return fmt.Sprintf("the helper came with the old package; the same is /usr/lib/squid/%s today (Debian package squid)", now)
	}
	return "install it, or correct the path; chmod a+rx " + path
}

// nameFindings asks for the names the configuration depends on.
func nameFindings(cfg *conf.Config) (list []host.Finding) {
	for _, p := range cfg.Peers {
		if addrs := (resolvingWorld{}).Addresses(p.Host); len(addrs) == 0 && net.ParseIP(p.Host) == nil {
			list = append(list, host.Finding{ID: "name", Level: host.Fail, Fact: fmt.Sprintf("cache_peer %s does not resolve", p.Host),
				Why: "the peer is never used", Remedy: "correct the name, or add it to the hosts file"})
		}
	}
	for _, server := range cfg.DNSNameservers {
		list = append(list, nameserverFinding(server))
	}
	return list
}

// nameserverFinding asks one name server for any answer at all.
func nameserverFinding(server string) host.Finding {
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(server, "53"))
	}}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, err := r.LookupNetIP(ctx, "ip4", "example.com.")
	if e, ok := err.(*net.DNSError); err == nil || ok && e.IsNotFound {
		return host.Finding{ID: "nameserver", Level: host.OK, Fact: "dns_nameservers " + server + " answers"}
	}
	return host.Finding{ID: "nameserver", Level: host.Warn, Fact: "dns_nameservers " + server + " gives no answer", Why: "names are looked up there",
		Remedy: "take it out, or mend it: dig @" + server + " example.com"}
}

func descriptorFinding(cfg *conf.Config) host.Finding {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return host.Finding{ID: "descriptors", Level: host.Warn, Fact: "the limit of file descriptors cannot be read: " + err.Error()}
	}
	f := host.Finding{ID: "descriptors", Level: host.OK, Fact: fmt.Sprintf("%d file descriptors can be had", limit.Max)}
	switch {
	case cfg.MaxFiledescriptors > int(min(limit.Max, 1<<30)) && os.Geteuid() != 0:
		f.Level, f.Remedy = host.Fail, fmt.Sprintf("LimitNOFILE=%d in the unit", cfg.MaxFiledescriptors)
		f.Why = fmt.Sprintf("max_filedescriptors asks for %d", cfg.MaxFiledescriptors)
	case limit.Max < 4096:
		f.Level, f.Why, f.Remedy = host.Warn, "each connection through the proxy takes two", "LimitNOFILE=65536 in the unit, or ulimit -Hn 65536"
	}
	return f
}
