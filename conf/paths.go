package conf

// Paths are the places built into the binary. They fill the defaults of the
// directives named in the comments.
type Paths struct {
	ConfigFile string // -f
	MimeTable  string // mime_table
	CacheLog   string // cache_log
	AccessLog  string // access_log
	StoreLog   string // cache_store_log
	PidFile    string // pid_filename
	SwapDir    string // cache_dir
	IconDir    string // icon_directory
	ErrorDir   string // error_directory
	HostsFile  string // hosts_file
	Libexec    string // folder of diskd_program, unlinkd_program, pinger_program
}

// Built-in folders: set with -ldflags "-X …/conf.SysconfDir=/usr/local/squid/etc" and
// so on by `make build PREFIX=/usr/local/squid`. Debian's layout unless set.
var (
	Prefix        = "/usr"
	SysconfDir    = "/etc/squid"
	StateDir      = "/var"
	LogDir        = "/var/log/squid"
	SwapDir       = "/var/spool/squid"
	RunDir        = "/var/run"
	DataDir       = "/usr/share/squid"
	ErrorDir      = "/usr/share/squid/errors"
	IconDir       = "/usr/share/squid/icons"
	LibexecDir    = "/usr/lib/squid"
	EffectiveUser = "nobody"
)

// DefaultPaths are the paths of this build.
func DefaultPaths() Paths {
	return Paths{
		ConfigFile: SysconfDir + "/squid.conf",
		MimeTable:  SysconfDir + "/mime.conf",
		CacheLog:   LogDir + "/cache.log",
		AccessLog:  LogDir + "/access.log",
		StoreLog:   LogDir + "/store.log",
		PidFile:    RunDir + "/squid.pid",
		SwapDir:    SwapDir,
		IconDir:    IconDir,
		ErrorDir:   ErrorDir + "/English",
		HostsFile:  "/etc/hosts",
		Libexec:    LibexecDir,
	}
}
