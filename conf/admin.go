package conf

import (
	"time"

	"github.com/cuttle-proxy/cuttle/parser"
)

// AdminSettings say who runs the proxy, under which name, and who may manage it.
type AdminSettings struct {
	// CacheMgr is cache_mgr.
	CacheMgr string
	// MailFrom is mail_from, "" when not given.
	MailFrom string
	// MailProgram is mail_program.
	MailProgram string
	// CacheEffectiveUser is cache_effective_user.
	CacheEffectiveUser string
	// CacheEffectiveGroup is cache_effective_group, "" when not given.
	CacheEffectiveGroup string
	// HTTPDSuppressVersionString is httpd_suppress_version_string.
	HTTPDSuppressVersionString bool
	// VisibleHostname is visible_hostname, "" when not given.
	VisibleHostname string
	// UniqueHostname is unique_hostname, "" when not given.
	UniqueHostname string
	// HostnameAliases is hostname_aliases.
	HostnameAliases []string
	// Umask is umask.
	Umask int
	// AnnouncePeriod is announce_period; 0 or less turns announcements off.
	AnnouncePeriod time.Duration
	// AnnounceHost is announce_host.
	AnnounceHost string
	// AnnounceFile is announce_file, "" when not given.
	AnnounceFile string
	// AnnouncePort is announce_port.
	AnnouncePort uint16
	// CachemgrPasswd is cachemgr_passwd.
	CachemgrPasswd []CachemgrPasswd
	// CoredumpDir is coredump_dir ("none" to stay where started).
	CoredumpDir string
	// Chroot is chroot, "" when not given.
	Chroot string
}

// CachemgrPasswd is one cachemgr_passwd line.
type CachemgrPasswd struct {
	// Password; "disable" forbids the actions, "none" opens them.
	Password string
	Actions  []string
	Pos      parser.Pos
}
