package conf

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
	// NetworkSetup is network_setup: setup at the start, teardown at the end.
	NetworkSetup bool
}
