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
	// InterceptSniffTime is intercept_sniff_time (ours): how long a client may
	// be silent before its server is taken for one that speaks first.
	InterceptSniffTime time.Duration
}

// unknownProtocolWords are the values of intercept_unknown_protocol: off, on.
var unknownProtocolWords = []string{"error", "tunnel"}

func unknownProtocol() kind {
	return kind{name: "error|tunnel", single: true,
		set: func(r *reader) error {
			w, _ := r.word()
			i := slices.Index(unknownProtocolWords, w)
			if i < 0 {
				return r.unknownWord("action", w, unknownProtocolWords)
			}
			r.b.cfg.TunnelUnknownProtocol = i == 1
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			word := unknownProtocolWords[0]
			if c.TunnelUnknownProtocol {
				word = unknownProtocolWords[1]
			}
			d.line(name, word)
		}}
}
