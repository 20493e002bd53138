package conf

import (
	"slices"
	"time"
)

// ExtensionSettings are directives 2.6 does not know: those of 2.7 and our own.
type ExtensionSettings struct {
	// ServerHTTP11 is server_http11 (2.7): HTTP/1.1 towards origins.
	ServerHTTP11 bool
	// MaxFiledescriptors is max_filedescriptors (2.7: max_filedescriptors), 0 for the system's limit.
	MaxFiledescriptors int
	// StoreURLRewriteProgram is storeurl_rewrite_program (2.7).
	StoreURLRewriteProgram []string
	// StoreURLRewriteChildren is storeurl_rewrite_children (2.7).
	StoreURLRewriteChildren int
	// StoreURLRewriteConcurrency is storeurl_rewrite_concurrency (2.7).
	StoreURLRewriteConcurrency int
	// StoreURLAccess is storeurl_access (2.7).
	StoreURLAccess AccessList
	// LogfileDaemon is logfile_daemon (2.7): the program behind daemon: logs.
	LogfileDaemon string
	// AcceptWithoutEffect is accept_without_effect (ours): what is pending, would do
	// harm, and is served all the same.
	AcceptWithoutEffect []string
	// NetworkSetup is network_setup: setup at the start, teardown at the end.
	NetworkSetup bool
	// RFC9111Rules is rfc9111_rules (ours): what RFC 9111 allows a cache counts where
	// 2.6 does less.
	RFC9111Rules bool
	// CacheStatusHeader is cache_status_header (ours): replies say in Cache-Status (RFC
	// 9211) how they came about.
	CacheStatusHeader bool
	// HostVerify is host_verify (ours): intercepted requests go where the client
	// wanted to go, and their Host is checked against it.
	HostVerify bool
	// HostVerifyStrict is host_verify_strict (3.2): a Host that fails the check is refused.
	HostVerifyStrict bool
	// ClientDstPassthru is client_dst_passthru (3.2): a Host that passes the
	// check still goes to the very address the client dialled.
	ClientDstPassthru bool
	// HostVerifyMemory is host_verify_memory (ours): how long an address of an
	// earlier answer counts as one of the name's.
	HostVerifyMemory time.Duration
	// DNSAAAA is dns_aaaa (ours): On, Off, or Warn for auto.
	DNSAAAA Tristate
	// TProxyClientPort is tproxy_client_port (ours): a connection in a client's
	// name also tries the client's port.
	TProxyClientPort bool
	// TunnelUnknownProtocol is intercept_unknown_protocol tunnel (ours): what
	// is not HTTP on an intercepting port is joined to its destination.
	TunnelUnknownProtocol bool
	// RejectQUIC is intercept_quic reject (ours): setup has UDP to port 443 refused,
	// so that clients fall back to TCP.
	RejectQUIC bool
	// InterceptSniffTime is intercept_sniff_time (ours): how long a client may
	// be silent before its server is taken for one that speaks first.
	InterceptSniffTime time.Duration
	// TunnelLogInterval is tunnel_log_interval (ours): the time between two lines about
	// a tunnel that goes on; 0 for none but the last.
	TunnelLogInterval time.Duration
}

// choice is a directive of two words; the second sets the field.
func choice(off, on string, field func(*Config) *bool) kind {
	words := []string{off, on}
	return kind{name: off + "|" + on, single: true,
		set: func(r *reader) error {
			w, _ := r.word()
			i := slices.Index(words, w)
			if i < 0 {
				return r.unknownWord("action", w, words)
			}
			*field(r.b.cfg) = i == 1
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			word := off
			if *field(c) {
				word = on
			}
			d.line(name, word)
		}}
}
