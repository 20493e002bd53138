package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fetch is one page a subscriber asks for, at one of the addresses of its name.
type fetch struct {
	who    subscriber
	url    string // http://name/path or https://name/path
	at     netip.Addr
	octets int  // how long the page is, beyond the origin's testimony
	stored bool // somebody else asked before: the cache has it
	denied bool // the rules deny it, so that an alert comes instead of a page
}

// routed reports whether the router sends the fetch to a cache by policy routing, not
// by WCCP.
func (f fetch) routed() bool { return f.who.address.Is6() }

// tls reports whether the page is fetched through TLS.
func (f fetch) tls() bool { return strings.HasPrefix(f.url, "https:") }

// name is the site's.
func (f fetch) name() string {
	_, rest, _ := strings.Cut(f.url, "://")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// to is where the subscriber connects to.
func (f fetch) to() netip.AddrPort {
	if f.tls() {
		return netip.AddrPortFrom(f.at, 443)
	}
	return netip.AddrPortFrom(f.at, 80)
}

// logged is the URL access.log shows.
func (f fetch) logged() string {
	if f.tls() {
		return f.name() + ":443"
	}
	return f.url
}

// page is a fetch as curl saw it.
type page struct {
	Code    int        `json:"code"`
	Remote  netip.Addr `json:"remote"` // the address curl was connected to
	Port    uint16     `json:"port"`   // curl's own
	Octets  int        `json:"octets"` // of the body
	headers string     // of the answer
	body    string     // its first kilobyte
	alert   string     // what curl said where there was to be no page
}

// bracketed is how curl wants an address beside a port.
func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// fetchTime bounds one fetch.
const fetchTime = 20 * time.Second

// get runs curl on the subscriber's machine.
func (n *network) get(ctx context.Context, f fetch) (page, error) {
	headers, body := filepath.Join(n.directory, "headers"), filepath.Join(n.directory, "body")
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	cmd := etcCommand(n.etc, "curl", "--silent", "--show-error", "--max-time", fmt.Sprint(int(fetchTime.Seconds())),
		// The name has several addresses; this subscriber chose that one.
		"--resolve", fmt.Sprintf("%s:%d:%s", f.name(), f.to().Port(), bracketed(f.at)),
		"--insecure", // the origins' certificates are signed by nobody
		"--dump-header", headers, "--output", body,
		"--write-out", `{"code":%{response_code},"remote":"%{remote_ip}","port":%{local_port},"octets":%{size_download}}`,
		f.url)
	var out, complaints strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaints
	var p page
	process, err := f.who.node.Start(cmd)
	if err != nil {
		return p, err
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		process.Stop()
		return p, ctx.Err()
	}
	if err := process.Err(); f.denied {
		p.alert = strings.TrimSpace(complaints.String())
		return p, nil
	} else if err != nil {
		return p, fmt.Errorf("curl: %w: %s", err, strings.TrimSpace(complaints.String()))
	}
	if err := json.Unmarshal([]byte(out.String()), &p); err != nil {
		return p, fmt.Errorf("curl wrote %q: %w", out.String(), err)
	}
	text, err := os.ReadFile(headers)
	if err != nil {
		return p, err
	}
	p.headers = string(text)
	if text, err = os.ReadFile(body); err != nil {
		return p, err
	}
	p.body = string(text[:min(len(text), 1024)])
	return p, nil
}
