package conf

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/parser"
)

// finish makes the checks 2.6 makes after the last line, in its order.
func (b *builder) finish() {
	c := b.cfg
	b.checkDirs()
	b.choosePinger()
	b.checkNames()
	if c.URLRewriteProgram != nil && c.URLRewriteChildren < 1 {
		c.URLRewriteChildren, c.URLRewriteProgram = 0, nil
	}
	if c.LocationRewriteProgram != nil && c.LocationRewriteChildren < 1 {
		c.LocationRewriteChildren, c.LocationRewriteProgram = 0, nil
	}
	b.resetValues()
	b.checkPaths()
	b.checkUsers()
	if !c.ClientDB {
		for _, a := range c.ACLs {
			if a.Type == ACLMaxConn {
				b.say("WARNING: 'maxconn' ACL (%s) won't work with client_db disabled", a.Name)
				b.warnAt(a.Pos, "maxconn-client-db", fmt.Sprintf("acl %s counts connections, which client_db off forgets", a.Name))
			}
		}
	}
	b.checkTimes()
	b.checkZPH()
	b.checkWCCPAddress()
	if c.MaximumObjectSizeInMemory > 8<<20 {
		b.say("WARNING: Very large maximum_object_size_in_memory settings can have negative impact on performance")
	}
}

func (b *builder) warnAt(p parser.Pos, check, summary string) {
	b.diagnose(Diagnostic{Severity: Warning, Pos: p, Check: check, Summary: summary})
}

// refuseWhole refuses the file because of a directive that was understood.
func (b *builder) refuseWhole(name string, exit int, text string, detail string) {
	d := Lookup(name)
	p := b.first[d]
	n := len(name)
	if p.IsZero() {
		p, n = parser.Pos{File: b.file.Name, Line: b.file.Pieces}, 0
	}
	b.diagnose(Diagnostic{Severity: Error, Pos: p, Len: n, Check: "refused", Summary: name + ": " + strings.TrimSpace(text), Detail: detail})
	b.fatal(exit, "%s", text)
}

// pinger is the path of pinger_program. It is not written back where no line named one:
// the line alone has distances measured.
func pinger() kind {
	k := path(func(c *Config) *string { return &c.PingerProgram })
	write := k.dump
	k.dump = func(c *Config, d *dumper, name string) {
		if c.MeasuresWays || filepath.Base(c.PingerProgram) != "pinger" {
			write(c, d, name)
		}
	}
	return k
}

// choosePinger decides whether distances are measured: where a line of the file names a
// pinger. It is not by default, as in builds of 2.6 without ICMP: origins would get
// packets, and near ones would be asked directly, that never did.
func (b *builder) choosePinger() {
	_, given := b.first[Lookup("pinger_program")]
	b.cfg.MeasuresWays = given && filepath.Base(b.cfg.PingerProgram) == "pinger"
}

// checkDirs looks for the cache directories and weighs them against cache_mem.
func (b *builder) checkDirs() {
	var total int64
	for _, d := range b.cfg.CacheDirs {
		total += d.Size
		if d.Type == "diskd" {
			b.mustExistIfGiven("diskd_program", "diskd_program", b.cfg.DiskdProgram)
		}
		if d.Type == "ufs" || d.Type == "aufs" || d.Type == "diskd" {
			b.mustExist(d.Pos, "cache_dir", d.Path)
		}
	}
	if total != 0 && total>>10 < b.cfg.CacheMem>>10 {
		b.say("WARNING cache_mem is larger than total disk cache space!")
	}
}

// checkNames makes sure that the proxy has a port and a name.
func (b *builder) checkNames() {
	c := b.cfg
	if !c.appendDomainValid() {
		b.refuseWhole("append_domain", 134, "append_domain must begin with a '.'", "")
	}
	if len(c.HTTPPorts) == 0 && len(c.HTTPSPorts) == 0 {
		b.refuseWhole("http_port", 134, "No port defined", "There is no default; write http_port 3128.")
	}
	if c.UniqueHostname == "" && c.VisibleHostname == "" && !b.hasFullName() {
		b.refuseWhole("visible_hostname", 134, "Could not determine fully qualified hostname.  Please set 'visible_hostname'\n", "")
	}
}

func (c *Config) appendDomainValid() bool {
	return c.AppendDomain == "" || c.AppendDomain[0] == '.'
}

// hasFullName looks for a name with a dot: of the first listening address, then of the machine.
func (b *builder) hasFullName() bool {
	for _, p := range b.firstPorts() {
		if a := p.Addr.Addr(); a != anyAddr && !a.IsUnspecified() {
			if strings.Contains(b.world.NameOf(a), ".") {
				return true
			}
			break
		}
	}
	_, canonical := b.world.Hostname()
	return strings.Contains(canonical, ".")
}

func (b *builder) firstPorts() []*HTTPPort {
	var list []*HTTPPort
	if len(b.cfg.HTTPPorts) > 0 {
		list = append(list, b.cfg.HTTPPorts[0])
	}
	if len(b.cfg.HTTPSPorts) > 0 {
		list = append(list, &b.cfg.HTTPSPorts[0].HTTPPort)
	}
	return list
}

func (b *builder) resetValues() {
	c := b.cfg
	if c.MaximumSingleAddrTries > 10 {
		b.refuseWhole("maximum_single_addr_tries", 134, "maximum_single_addr_tries cannot be larger than 10", "")
	}
	if c.MaximumSingleAddrTries < 1 {
		b.say("WARNING: resetting 'maximum_single_addr_tries to 1")
		b.warnAt(b.first[Lookup("maximum_single_addr_tries")], "reset", "maximum_single_addr_tries is reset to 1")
		c.MaximumSingleAddrTries = 1
	}
}

// checkPaths looks for files and programs; a missing one is a warning only.
func (b *builder) checkPaths() {
	c := b.cfg
	// What has a substitute built in is missed only by a file that names it.
	b.mustExistIfGiven("mime_table", "MIME Config Table", c.MimeTable)
	b.mustExistIfGiven("unlinkd_program", "unlinkd_program", c.UnlinkdProgram)
	if len(c.URLRewriteProgram) > 0 {
		b.mustExist(b.first[Lookup("url_rewrite_program")], "url_rewrite_program", c.URLRewriteProgram[0])
	}
	if len(c.LocationRewriteProgram) > 0 {
		b.mustExist(b.first[Lookup("location_rewrite_program")], "location_rewrite_program", c.LocationRewriteProgram[0])
	}
	b.mustExistIfGiven("icon_directory", "Icon Directory", c.IconDirectory)
	b.mustExistIfGiven("error_directory", "Error Directory", c.ErrorDirectory)
	for _, s := range c.AuthSchemes {
		if s.ready() {
			what := "authparam " + s.Name + " program"
			if s.Name == "basic" {
				what = "auth_param basic program"
			}
			b.mustExist(s.Pos, what, s.Program[0])
		}
	}
	for _, e := range c.ExternalACLTypes {
		b.mustExist(e.Pos, "external_acl_type", e.Program[0])
	}
}

func (b *builder) mustExistIfGiven(directive, what, path string) {
	if at, given := b.first[Lookup(directive)]; given {
		b.mustExist(at, what, path)
	}
}

// mustExist says that a path is missing. what is 2.6's name for the thing.
func (b *builder) mustExist(at parser.Pos, what, path string) {
	if b.cfg.Chroot != "" && b.world.Root() {
		path = b.cfg.Chroot + "/" + path
	}
	if err := b.world.Stat(path); err != nil {
		b.print("WARNING: %s %s: %s", what, path, ErrorText(err))
		b.finding(at, 0, "missing", fmt.Sprintf("%s is not there: %s", path, ErrorText(err)), departed(path))
		if !b.stopped {
			b.report.Missing = append(b.report.Missing, MissingPath{What: what, Path: path, Err: err})
		}
	}
}

func (b *builder) checkUsers() {
	c := b.cfg
	if b.world.Root() && c.CacheEffectiveUser != "" && !b.world.UserExists(c.CacheEffectiveUser) {
		b.refuseWhole("cache_effective_user", 134,
			fmt.Sprintf("getpwnam failed to find userid for effective user '%s'", c.CacheEffectiveUser), "Create the user, or name another.")
	}
	if c.CacheEffectiveGroup != "" && !b.world.GroupExists(c.CacheEffectiveGroup) {
		b.refuseWhole("cache_effective_group", 134,
			fmt.Sprintf("getgrnam failed to find groupid for effective group '%s'", c.CacheEffectiveGroup), "Create the group, or name another.")
	}
}

func (b *builder) checkTimes() {
	c := b.cfg
	if c.NegativeDNSTTL <= 0 {
		b.say("WARNING: resetting negative_dns_ttl to 1 second")
		b.warnAt(b.first[Lookup("negative_dns_ttl")], "reset", "negative_dns_ttl is reset to 1 second")
		c.NegativeDNSTTL = time.Second
	}
	if c.PositiveDNSTTL < c.NegativeDNSTTL {
		b.say("NOTICE: positive_dns_ttl must be larger than negative_dns_ttl. Resetting negative_dns_ttl to match")
		b.warnAt(b.first[Lookup("positive_dns_ttl")], "reset", "positive_dns_ttl is raised to negative_dns_ttl")
		c.PositiveDNSTTL = c.NegativeDNSTTL
	}
}
