package conf

import (
	"io"
	"net/netip"
)

// World is what reading a configuration asks of the machine: 2.6 resolves names,
// looks for files and users while it parses. Tests hand in a world of their own.
type World interface {
	// Open opens the configuration or a list file.
	Open(name string) (io.ReadCloser, error)
	// Stat says why a path cannot be found, nil when it is there.
	Stat(name string) error
	// Glob are the files a pattern matches, sorted.
	Glob(pattern string) []string
	// Addresses are the IPv4 addresses of a host name, none when it does not resolve.
	Addresses(host string) []netip.Addr
	// NameOf is the name an address resolves to, "" for none.
	NameOf(addr netip.Addr) string
	// UserExists and GroupExists look in the machine's user data base.
	UserExists(name string) bool
	GroupExists(name string) bool
	// Hostname is the machine's own name and its canonical form ("" when the lookup fails).
	Hostname() (name, canonical string)
	// Root reports whether the process runs as root.
	Root() bool
}
