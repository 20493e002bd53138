package conf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
)

// Offline is the machine without the network: names are looked up in the hosts
// file only. cmd/squid adds DNS.
type Offline struct {
	// Hosts is the hosts file, "" for /etc/hosts.
	Hosts string
}

// Open implements World.
func (Offline) Open(name string) (io.ReadCloser, error) { return OpenFile(name) }

// Stat implements World.
func (Offline) Stat(name string) error {
	_, err := os.Stat(name)
	return err
}

// Glob implements World.
func (Offline) Glob(pattern string) []string {
	list, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	return list
}

// UserExists implements World.
func (Offline) UserExists(name string) bool {
	_, err := user.Lookup(name)
	return err == nil
}

// GroupExists implements World.
func (Offline) GroupExists(name string) bool {
	_, err := user.LookupGroup(name)
	return err == nil
}

// Root implements World.
func (Offline) Root() bool { return os.Geteuid() == 0 }

// Addresses implements World.
func (o Offline) Addresses(host string) []netip.Addr {
	var list []netip.Addr
	o.hosts(func(a netip.Addr, names []string) {
		for _, n := range names {
			if a.Is4() && strings.EqualFold(n, host) {
				list = append(list, a)
				return
			}
		}
	})
	return list
}

// NameOf implements World.
func (o Offline) NameOf(addr netip.Addr) string {
	name := ""
	o.hosts(func(a netip.Addr, names []string) {
		if a == addr && name == "" {
			name = names[0]
		}
	})
	return name
}

// Hostname implements World.
func (o Offline) Hostname() (string, string) {
	name, err := os.Hostname()
	if err != nil {
		return "", ""
	}
	canonical := ""
	o.hosts(func(a netip.Addr, names []string) {
		for _, n := range names {
			if a.Is4() && canonical == "" && strings.EqualFold(n, name) {
				canonical = names[0]
			}
		}
	})
	return name, canonical
}

// hosts calls visit for every line of the hosts file.
func (o Offline) hosts(visit func(netip.Addr, []string)) {
	path := o.Hosts
	if path == "" {
		path = "/etc/hosts"
	}
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		line, _, _ := strings.Cut(s.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		if a, err := netip.ParseAddr(fields[0]); err == nil {
			visit(a, fields[1:])
		}
	}
}

// ErrorText writes an error of the system as 2.6 does: "(2) No such file or directory".
func ErrorText(err error) string {
	var no syscall.Errno
	if !errors.As(err, &no) {
		if !errors.Is(err, fs.ErrNotExist) {
			return err.Error()
		}
		no = syscall.ENOENT
	}
	text := no.Error() // the C library's, but for the capital
	return fmt.Sprintf("(%d) %s%s", int(no), strings.ToUpper(text[:1]), text[1:])
}
