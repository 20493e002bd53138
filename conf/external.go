package conf

import (
	"net/netip"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// ReferenceKind is what a Config refers to outside the file.
type ReferenceKind string

// The kinds of reference.
const (
	RefReadFile  ReferenceKind = "file to read"
	RefWriteFile ReferenceKind = "file to write"
	RefFolder    ReferenceKind = "folder"
	RefProgram   ReferenceKind = "program"
	RefUser      ReferenceKind = "user"
	RefGroup     ReferenceKind = "group"
	RefHost      ReferenceKind = "host name"
	RefTCPPort   ReferenceKind = "TCP port to listen on"
	RefUDPPort   ReferenceKind = "UDP port to listen on"
)

// Reference is one thing outside the file.
type Reference struct {
	Kind ReferenceKind
	// Directive names the directive that refers to it.
	Directive string
	// Name is a path, a user, a host; Addr is set for ports.
	Name string
	Addr netip.AddrPort
	Pos  parser.Pos
}

// External lists everything outside the file that the configuration refers to, for
// checks that open, resolve and bind.
func (c *Config) External() []Reference {
	var list []Reference
	add := func(kind ReferenceKind, directive, name string, pos parser.Pos) {
		if name != "" && name != "none" {
			list = append(list, Reference{Kind: kind, Directive: directive, Name: name, Pos: pos})
		}
	}
	program := func(directive string, command []string, pos parser.Pos) {
		if len(command) > 0 {
			add(RefProgram, directive, command[0], pos)
		}
	}
	bind := func(kind ReferenceKind, directive string, a netip.AddrPort, pos parser.Pos) {
		if a.Port() != 0 {
			list = append(list, Reference{Kind: kind, Directive: directive, Name: a.String(), Addr: a, Pos: pos})
		}
	}
	none := parser.Pos{}
	for _, p := range c.HTTPPorts {
		bind(RefTCPPort, "http_port", p.Addr, p.Pos)
	}
	for _, p := range c.HTTPSPorts {
		bind(RefTCPPort, "https_port", p.Addr, p.Pos)
		for _, f := range []string{p.Cert, p.Key, p.ClientCA, p.CAFile, p.CRLFile, p.DHParams} {
			add(RefReadFile, "https_port", f, p.Pos)
		}
		add(RefFolder, "https_port", p.CAPath, p.Pos)
	}
	bind(RefUDPPort, "icp_port", netip.AddrPortFrom(c.UDPIncomingAddress, c.ICPPort), none)
	bind(RefUDPPort, "htcp_port", netip.AddrPortFrom(c.UDPIncomingAddress, c.HTCPPort), none)
	bind(RefUDPPort, "snmp_port", netip.AddrPortFrom(c.SNMPIncomingAddress, c.SNMPPort), none)
	for _, a := range c.ACLs {
		for _, l := range a.Lines {
			for _, f := range l.Files {
				add(RefReadFile, "acl", f, l.Pos)
			}
		}
	}
	for _, l := range c.AccessLogs {
		if l.Path != "syslog" && !strings.HasPrefix(l.Path, "syslog:") {
			add(RefWriteFile, "access_log", l.Path, l.Pos)
		}
	}
	add(RefWriteFile, "cache_log", c.CacheLog, none)
	add(RefWriteFile, "cache_store_log", c.CacheStoreLog, none)
	add(RefWriteFile, "useragent_log", c.UseragentLog, none)
	add(RefWriteFile, "referer_log", c.RefererLog, none)
	add(RefWriteFile, "pid_filename", c.PidFilename, none)
	for _, d := range c.CacheDirs {
		switch d.Type {
		case "null":
		case "coss":
			add(RefWriteFile, "cache_dir", d.Path, d.Pos)
		default:
			add(RefFolder, "cache_dir", d.Path, d.Pos)
		}
	}
	add(RefFolder, "coredump_dir", c.CoredumpDir, none)
	add(RefFolder, "chroot", c.Chroot, none)
	add(RefReadFile, "mime_table", c.MimeTable, none)
	add(RefReadFile, "hosts_file", c.HostsFile, none)
	add(RefReadFile, "announce_file", c.AnnounceFile, none)
	add(RefFolder, "icon_directory", c.IconDirectory, none)
	add(RefFolder, "error_directory", c.ErrorDirectory, none)
	program("url_rewrite_program", c.URLRewriteProgram, none)
	program("location_rewrite_program", c.LocationRewriteProgram, none)
	program("external_refresh_check", c.ExternalRefreshCheck.Program, none)
	program("storeurl_rewrite_program", c.StoreURLRewriteProgram, none)
	for _, s := range c.AuthSchemes {
		program("auth_param", s.Program, s.Pos)
	}
	for _, e := range c.ExternalACLTypes {
		program("external_acl_type", e.Program, e.Pos)
	}
	program("mail_program", strings.Fields(c.MailProgram), none)
	add(RefUser, "cache_effective_user", c.CacheEffectiveUser, none)
	add(RefGroup, "cache_effective_group", c.CacheEffectiveGroup, none)
	for _, p := range c.Peers {
		add(RefHost, "cache_peer", p.Host, p.Pos)
	}
	for _, n := range c.DNSNameservers {
		add(RefHost, "dns_nameservers", n, none)
	}
	return list
}
