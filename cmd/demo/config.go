package main

import (
	_ "embed"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// The two fragments, letter for letter as the founding page has them, and the
// router's configuration beside the first.
var (
	//go:embed fragments/recommended.conf
	recommendedFragment string
	//go:embed fragments/user.conf
	userFragment string
	// tlsFragment is the first with port 443 beside port 80.
	//go:embed fragments/tls.conf
	tlsFragment string
	//go:embed fragments/router.conf
	routerCommands string
)

// placeholder is the router's address in the user's fragment.
const placeholder = "y.y.y.y"

// squidConf is a squid.conf in the making: a fragment, and what has to stand
// around it for Squid 2.6 to start.
type squidConf struct {
	added    []string
	fragment []string
}

// complete surrounds a fragment with the lines it needs and no others. The access
// list comes first, since fragments may refer to it.
func complete(fragment, directory string, cache, router netip.Addr) squidConf {
	in := func(name string) string { return filepath.Join(directory, name) }
	c := squidConf{added: []string{
		"acl all src 0.0.0.0/0.0.0.0",
		"acl CONNECT method CONNECT",
		"visible_hostname " + visibleHostname(cache),
		fmt.Sprintf("tcp_outgoing_address %s", cache),
		"cache_dir null " + directory,
		"access_log " + in("access.log") + " squid",
		"cache_log " + in("cache.log"),
		"cache_store_log none",
		"pid_filename " + in("squid.pid"),
	}}
	if !strings.Contains(fragment, "wccp2_router") && !strings.Contains(fragment, "wccp_router") {
		c.added = append(c.added, fmt.Sprintf("wccp2_router %s", router))
	}
	if !strings.Contains(fragment, "http_access") {
		c.added = append(c.added, "http_access allow all")
	}
	filled := strings.ReplaceAll(fragment, placeholder, router.String())
	c.fragment = strings.Split(strings.TrimSpace(filled), "\n")
	return c
}

// visibleHostname is how a cache calls itself; X-Cache and Via show it.
func visibleHostname(cache netip.Addr) string {
	return "cache-" + strings.ReplaceAll(cache.String(), ".", "-") + ".example.net"
}

// text is the file's content.
func (c squidConf) text() string {
	return strings.Join(c.added, "\n") + "\n" + strings.Join(c.fragment, "\n") + "\n"
}

// write puts the file where squid reads it.
func (c squidConf) write(path string) error {
	return os.WriteFile(path, []byte(c.text()), 0o644)
}

// show prints the file with a mark at each line that is not the founding page's.
func (c squidConf) show() string {
	var b strings.Builder
	for _, line := range c.added {
		fmt.Fprintf(&b, "  + %s\n", line)
	}
	for _, line := range c.fragment {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	return b.String()
}
