package conf

// Config is one squid.conf, understood. It is immutable once Load has returned
// it: runtime structures are built from it, a reconfigure builds another one.
//
// Every directive has one typed field; the fields are grouped in embedded
// structs by family, so cfg.NegativeTTL works although it is declared in
// RefreshSettings. The comment of each field begins with the directive's name.
// Sizes are int64 bytes with -1 for "none", times are time.Duration.
type Config struct {
	// HostNames are the host names that were looked up while the file was read;
	// their addresses are fixed in the Config.
	HostNames []string
	// Path is the file Load read.
	Path string

	PortSettings
	AccessSettings
	ACLSettings
	PeerSettings
	StoreSettings
	LogSettings
	HelperSettings
	AuthSettings
	HeaderSettings
	RefreshSettings
	TimeoutSettings
	AdminSettings
	NetworkSettings
	DNSSettings
	ErrorPageSettings
	ProtocolSettings
	GatewaySettings
	TuningSettings
	ExtensionSettings
	Squid27Settings

	// WCCP holds every wccp_ and wccp2_ directive.
	WCCP WCCP
	// Delay holds every delay_ directive.
	Delay Delay
	// SSL holds the ssl_ and sslproxy_ directives.
	SSL SSL
}

// Tristate is the value of directives that know "on", "off" and "warn".
type Tristate int8

// The values of a Tristate.
const (
	Warn Tristate = -1
	Off  Tristate = 0
	On   Tristate = 1
)

// NoLimit is the value of a size directive set to "none" or -1.
const NoLimit int64 = -1
