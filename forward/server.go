package forward

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
)

// Parts are what a Server is given beside its configuration.
type Parts struct {
	// Network opens listeners, tells original destinations and dials.
	Network Network
	// Log receives the lines of cache.log.
	Log *zap.Logger
	// Version is the release named in Via, Server and page signatures, as in
	// squid/VERSION.
	Version string
}

// Server forwards HTTP for one configuration at a time. Everything it derives
// from the configuration (access lists, resolver, log files, error pages) it
// builds itself, so that a reconfigure is one call.
type Server struct {
	parts Parts
	cfg   *conf.Config
}

// New builds everything the configuration asks for except sockets. An error
// names the directive at fault; nothing is left open then.
func New(cfg *conf.Config, parts Parts) (*Server, error) {
	return &Server{parts: parts, cfg: cfg}, nil
}

// Listen opens every http_port. It is separate from Serve because ports and
// transparent sockets may need rights the process gives up before serving.
func (s *Server) Listen(ctx context.Context) error { return nil }

// Serve accepts and serves until Shutdown has finished. It returns nil after
// a Shutdown and an error when a listener fails for good.
func (s *Server) Serve() error { return nil }

// Swap replaces the configuration. Transactions under way keep the one they
// began with, listeners that stay remain open. On error the old configuration
// goes on serving.
func (s *Server) Swap(ctx context.Context, cfg *conf.Config) error { return nil }

// Rotate closes the log files, renames them when logfile_rotate asks for it
// and opens them anew.
func (s *Server) Rotate() error { return nil }

// Shutdown stops accepting, closes idle connections, waits at most lifetime
// for transactions under way, then cuts them. It returns when all have ended
// and the logs are flushed.
func (s *Server) Shutdown(lifetime time.Duration) {}
