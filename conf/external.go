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
	// Command is the whole command line of a program.
	Command []string
	Pos     parser.Pos
}

// External lists everything outside the file that the configuration refers to, for
// checks that open, resolve and bind.
func (c *Config) External() []Reference {
	var list references
	list.addPorts(c)
	list.addFiles(c)
	list.addPrograms(c)
	list.add(RefUser, "cache_effective_user", c.CacheEffectiveUser, parser.Pos{})
	list.add(RefGroup, "cache_effective_group", c.CacheEffectiveGroup, parser.Pos{})
	for _, p := range c.Peers {
		list.add(RefHost, "cache_peer", p.Host, p.Pos)
	}
	for _, n := range c.DNSNameservers {
		list.add(RefHost, "dns_nameservers", n, parser.Pos{})
	}
	return list
}

// references are a list that grows; the places are zero for directives that keep none.
type references []Reference

func (list *references) add(kind ReferenceKind, directive, name string, pos parser.Pos) {
	if name != "" && name != "none" {
		*list = append(*list, Reference{Kind: kind, Directive: directive, Name: name, Pos: pos})
	}
}

func (list *references) program(directive string, command []string, pos parser.Pos) {
	if len(command) > 0 && command[0] != "" && command[0] != "none" {
		*list = append(*list, Reference{Kind: RefProgram, Directive: directive, Name: command[0], Command: command, Pos: pos})
	}
}

func (list *references) addPorts(c *Config) {
	bind := func(kind ReferenceKind, directive string, a netip.AddrPort, pos parser.Pos) {
		if a.Port() != 0 {
			*list = append(*list, Reference{Kind: kind, Directive: directive, Name: a.String(), Addr: a, Pos: pos})
		}
	}
	for _, p := range c.HTTPPorts {
		bind(RefTCPPort, "http_port", p.Addr, p.Pos)
	}
	for _, p := range c.HTTPSPorts {
		bind(RefTCPPort, "https_port", p.Addr, p.Pos)
	}
	none := parser.Pos{}
	bind(RefUDPPort, "icp_port", netip.AddrPortFrom(c.UDPIncomingAddress, c.ICPPort), none)
	bind(RefUDPPort, "htcp_port", netip.AddrPortFrom(c.UDPIncomingAddress, c.HTCPPort), none)
	bind(RefUDPPort, "snmp_port", netip.AddrPortFrom(c.SNMPIncomingAddress, c.SNMPPort), none)
}

func (list *references) addFiles(c *Config) {
	for _, p := range c.HTTPSPorts {
		for _, f := range []string{p.Cert, p.Key, p.ClientCA, p.CAFile, p.CRLFile, p.DHParams} {
			list.add(RefReadFile, "https_port", f, p.Pos)
		}
		list.add(RefFolder, "https_port", p.CAPath, p.Pos)
	}
	for _, a := range c.ACLs {
		for _, l := range a.Lines {
			for _, f := range l.Files {
				list.add(RefReadFile, "acl", f, l.Pos)
			}
		}
	}
	for _, l := range c.AccessLogs {
		if l.Path != "syslog" && !strings.HasPrefix(l.Path, "syslog:") {
			list.add(RefWriteFile, "access_log", l.Path, l.Pos)
		}
	}
	for _, d := range c.CacheDirs {
		switch d.Type {
		case "null":
		case "coss":
			list.add(RefWriteFile, "cache_dir", d.Path, d.Pos)
		default:
			list.add(RefFolder, "cache_dir", d.Path, d.Pos)
		}
	}
	for _, f := range []struct {
		kind            ReferenceKind
		directive, name string
	}{
		{RefWriteFile, "cache_log", c.CacheLog}, {RefWriteFile, "cache_store_log", c.CacheStoreLog},
		{RefWriteFile, "useragent_log", c.UseragentLog}, {RefWriteFile, "referer_log", c.RefererLog},
		{RefWriteFile, "pid_filename", c.PidFilename}, {RefFolder, "coredump_dir", c.CoredumpDir}, {RefFolder, "chroot", c.Chroot},
		{RefReadFile, "mime_table", c.MimeTable}, {RefReadFile, "hosts_file", c.HostsFile}, {RefReadFile, "announce_file", c.AnnounceFile},
		{RefFolder, "icon_directory", c.IconDirectory}, {RefFolder, "error_directory", c.ErrorDirectory},
	} {
		list.add(f.kind, f.directive, f.name, parser.Pos{})
	}
}

func (list *references) addPrograms(c *Config) {
	none := parser.Pos{}
	list.program("url_rewrite_program", c.URLRewriteProgram, none)
	list.program("location_rewrite_program", c.LocationRewriteProgram, none)
	list.program("external_refresh_check", c.ExternalRefreshCheck.Program, none)
	list.program("storeurl_rewrite_program", c.StoreURLRewriteProgram, none)
	for _, s := range c.AuthSchemes {
		list.program("auth_param", s.Program, s.Pos)
	}
	for _, e := range c.ExternalACLTypes {
		list.program("external_acl_type", e.Program, e.Pos)
	}
	list.program("mail_program", strings.Fields(c.MailProgram), none)
}
