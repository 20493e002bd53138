package intercept

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
	"github.com/cuttle-proxy/cuttle/wccp2"
)

// Root does what needs root once the serving process has given it up. What it
// may do it takes from the configuration that is in force.
type Root interface {
	// GRESocket is the raw socket that routers' GRE comes by, TUN the device it is
	// delivered on.
	GRESocket() (*os.File, error)
	TUN() (*os.File, error)
	// SetUpRules does, or takes back, what network_setup asks for now.
	SetUpRules() error
}

// Server is what serves the connections: forward.Server.
type Server interface {
	Transfers() int
	Dismiss()
	Overload() overload.Counts
	Verification() (checked, unverified, denied uint64)
	BlindTunnels() uint64
	PassedTLS() uint64
	// Rebuilt is closed when the cache knows what lies in its directories.
	Rebuilt() <-chan struct{}
}

// Host is the network of this host as a running copy uses it. It is built as
// root and used without, by one goroutine; what answers questions and watches
// runs beside that.
type Host struct {
	// Network opens and dials sockets.
	Network *Network
	// Root is nil where the process never was root, and does such things itself.
	Root Root

	log      *zap.Logger
	cfg      *conf.Config
	server   Server
	rules    Rules
	gre      atomic.Pointer[greReceiver] // nil where no router sends GRE, or the operator has a tunnel
	wccp     atomic.Pointer[wccp2.Runner]
	watch    *watch
	findings []host.Finding
	ifaces   string // the interfaces there were before findings were found; "" once they are watched
}

// Open does what must be done as root: the rules, the receiver of GRE, a look at
// the host. What the rules do is told on report.
func Open(cfg *conf.Config, log *zap.Logger, report io.Writer) (*Host, error) {
	network, err := NewNetwork(cfg)
	if err != nil {
		return nil, err
	}
	h := &Host{Network: network, log: log, cfg: cfg}
	if err := h.rules.atStart(cfg, report); err != nil {
		return h, err
	}
	if err := h.openGRE(cfg); err != nil {
		return h, err
	}
	h.ifaces = interfaces()
	h.findings = lookAtHost(cfg)
	return h, nil
}

// TellFindings logs what the look at the host found wanting.
func (h *Host) TellFindings() { h.tell(h.findings) }

// Start moves packets and announces the proxy to its routers, now that every port
// of server accepts.
func (h *Host) Start(server Server) error {
	h.server = server
	h.startGRE()
	if err := h.startWCCP(); err != nil {
		return err
	}
	h.startWatch()
	return nil
}

// Prepare takes over what another configuration says about sockets, before the
// server opens any by it. Reconfigure or Keep follows.
func (h *Host) Prepare(cfg *conf.Config) {
	h.stopWatch()
	h.Network.Configure(cfg)
}

// Keep goes on with the configuration there was before Prepare.
func (h *Host) Keep() {
	h.Network.Configure(h.cfg)
	h.startWatch()
}

// Reconfigure goes over to another configuration, which is in force in the server
// already and adopted by Root. What cannot be had goes on as before, and is told.
func (h *Host) Reconfigure(cfg *conf.Config) (problems []error) {
	h.cfg = cfg
	if err := h.reconfigureGRE(); err != nil {
		problems = append(problems, fmt.Errorf("GRE packets are not received: %w", err))
	}
	if err := h.reconfigureWCCP(); err != nil {
		problems = append(problems, fmt.Errorf("WCCP goes on as before: %w", err))
	}
	if err := h.setUpRulesAgain(); err != nil {
		problems = append(problems, err)
	}
	h.startWatch()
	return problems
}

// Close ends all of it and takes back what network_setup did, where no Root does.
func (h *Host) Close() {
	h.stopWatch()
	h.closeGRE()
	if h.Root == nil {
		if err := h.rules.AtEnd(h.cfg); err != nil {
			h.log.Error("ERROR: {error}", report.Error(err))
		}
	}
	h.Network.Close()
}

// tell writes findings to cache.log. Whether the start goes on is decided by the
// sockets themselves: without the capability they cannot be opened, while rules
// may be somebody else's to make, later.
func (h *Host) tell(findings []host.Finding) {
	for _, f := range findings {
		line, write := "WARNING: ", h.log.Warn
		if f.Level == host.Fail {
			line, write = "ERROR: ", h.log.Error
		}
		line += "preflight: {finding}: {fact}; {why}"
		fields := []zap.Field{zap.String("finding", f.ID), zap.String("fact", f.Fact), zap.String("why", f.Why)}
		if f.Remedy != "" {
			line, fields = line+"; mend it with: {remedy}", append(fields, zap.String("remedy", f.Remedy))
		}
		write(line, fields...)
	}
}
