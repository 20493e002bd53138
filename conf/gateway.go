package conf

// GatewaySettings are about protocols other than HTTP: FTP and whois.
type GatewaySettings struct {
	// FTPUser is ftp_user.
	FTPUser string
	// FTPListWidth is ftp_list_width.
	FTPListWidth int
	// FTPPassive is ftp_passive.
	FTPPassive bool
	// FTPSanitycheck is ftp_sanitycheck.
	FTPSanitycheck bool
	// FTPTelnetProtocol is ftp_telnet_protocol.
	FTPTelnetProtocol bool
	// ASWhoisServer is as_whois_server.
	ASWhoisServer string
}
