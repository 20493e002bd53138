package conf

import "time"

// TimeoutSettings are the limits on waiting.
type TimeoutSettings struct {
	// ForwardTimeout is forward_timeout.
	ForwardTimeout time.Duration
	// ConnectTimeout is connect_timeout.
	ConnectTimeout time.Duration
	// ReadTimeout is read_timeout.
	ReadTimeout time.Duration
	// RequestTimeout is request_timeout.
	RequestTimeout time.Duration
	// PersistentRequestTimeout is persistent_request_timeout.
	PersistentRequestTimeout time.Duration
	// ClientLifetime is client_lifetime.
	ClientLifetime time.Duration
	// HalfClosedClients is half_closed_clients.
	HalfClosedClients bool
	// PconnTimeout is pconn_timeout.
	PconnTimeout time.Duration
	// IdentTimeout is ident_timeout.
	IdentTimeout time.Duration
	// ShutdownLifetime is shutdown_lifetime.
	ShutdownLifetime time.Duration
	// ClientPersistentConnections is client_persistent_connections.
	ClientPersistentConnections bool
	// ServerPersistentConnections is server_persistent_connections.
	ServerPersistentConnections bool
	// PersistentConnectionAfterError is persistent_connection_after_error.
	PersistentConnectionAfterError bool
	// DetectBrokenPconn is detect_broken_pconn.
	DetectBrokenPconn bool
}
