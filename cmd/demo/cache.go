package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// cache is bin/squid at work in its namespace.
type cache struct {
	network   *network
	node      *netlab.Node
	program   string
	address   netip.Addr
	directory string
	conf      squidConf
	process   *netlab.Process
}

// newCache writes the configuration of the network's cache number i.
func (n *network) newCache(i int, program, fragment string) (*cache, error) {
	address := firstCache
	for range i {
		address = address.Next()
	}
	c := &cache{
		network: n, node: n.caches[i], program: program, address: address,
		directory: filepath.Join(n.directory, fmt.Sprintf("cache%d", i+1)),
	}
	if err := os.MkdirAll(c.directory, 0o755); err != nil {
		return nil, err
	}
	// squid writes its logs as cache_effective_user, whoever that is here.
	if err := os.Chmod(c.directory, 0o777); err != nil {
		return nil, err
	}
	c.conf = complete(fragment, c.directory, address, routerAddress)
	return c, c.conf.write(c.confPath())
}

func (c *cache) confPath() string      { return filepath.Join(c.directory, "squid.conf") }
func (c *cache) accessLogPath() string { return filepath.Join(c.directory, "access.log") }

// setUp prepares the machine's network: `squid -k setup`.
func (c *cache) setUp() (string, error) { return c.run("-k", "setup", "-f", c.confPath()) }

// tearDown takes that back.
func (c *cache) tearDown() (string, error) { return c.run("-k", "teardown", "-f", c.confPath()) }

func (c *cache) run(args ...string) (string, error) {
	cmd := etcCommand(c.network.etc, c.program, args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	process, err := c.node.Start(cmd)
	if err != nil {
		return "", err
	}
	<-process.Done()
	if err := process.Err(); err != nil {
		return out.String(), fmt.Errorf("squid %s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	return out.String(), nil
}

// start runs squid -N -f squid.conf.
func (c *cache) start() error {
	cmd := etcCommand(c.network.etc, c.program, "-N", "-f", c.confPath())
	complaints, err := os.Create(filepath.Join(c.directory, "stderr"))
	if err != nil {
		return err
	}
	defer complaints.Close()
	cmd.Stdout, cmd.Stderr = complaints, complaints
	c.process, err = c.node.Start(cmd)
	return err
}

// ended says how squid ended if it did, with the end of what it wrote.
func (c *cache) ended() error {
	select {
	case <-c.process.Done():
		return fmt.Errorf("squid ended (%v); its last words:\n%s", c.process.Err(), c.lastWords())
	default:
		return nil
	}
}

// lastWords are the last lines of cache.log and standard error.
func (c *cache) lastWords() string {
	var b strings.Builder
	for _, name := range []string{"cache.log", "stderr"} {
		text, err := os.ReadFile(filepath.Join(c.directory, name))
		if err != nil || len(text) == 0 {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		for _, line := range lines[max(0, len(lines)-12):] {
			fmt.Fprintf(&b, "    %s: %s\n", name, line)
		}
	}
	return b.String()
}

// accessLog gives what access.log has behind a place.
func (c *cache) accessLog(from int64) string {
	text, err := os.ReadFile(c.accessLogPath())
	if err != nil || int64(len(text)) < from {
		return ""
	}
	return string(text[from:])
}

// accessLogLength is where access.log ends now.
func (c *cache) accessLogLength() int64 {
	info, err := os.Stat(c.accessLogPath())
	if err != nil {
		return 0
	}
	return info.Size()
}
