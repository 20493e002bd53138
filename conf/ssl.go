package conf

// SSL holds the ssl_ and sslproxy_ directives.
type SSL struct {
	// UncleanShutdown is ssl_unclean_shutdown.
	UncleanShutdown bool
	// Engine is ssl_engine.
	Engine string
	// ClientCertificate is sslproxy_client_certificate.
	ClientCertificate string
	// ClientKey is sslproxy_client_key.
	ClientKey string
	// Version is sslproxy_version (1 automatic, 2 SSLv2, 3 SSLv3, 4 TLSv1).
	Version int
	// Options is sslproxy_options.
	Options string
	// Cipher is sslproxy_cipher.
	Cipher string
	// CAFile is sslproxy_cafile.
	CAFile string
	// CAPath is sslproxy_capath.
	CAPath string
	// Flags is sslproxy_flags.
	Flags string
	// PasswordProgram is sslpassword_program.
	PasswordProgram string
}
