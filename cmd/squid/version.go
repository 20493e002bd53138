package main

import (
	"fmt"
	"io"
)

// Set at build time (make build VERSION= PREFIX= SYSCONFDIR= LOCALSTATEDIR=).
// The version keeps 2.6 in front: scripts compare "2.6" and the word after
// "Version".
var (
	version       = "2.6.CUTTLE1"
	prefix        = "/usr"
	sysconfDir    = "/etc/squid"
	localStateDir = "/var"
)

// defaultConfFile is used without -f.
func defaultConfFile() string { return sysconfDir + "/squid.conf" }

func writeVersion(w io.Writer) {
	fmt.Fprintf(w, "Squid Cache: Version %s\n", version)
	fmt.Fprintf(w, "configure options:  '--prefix=%s' '--sysconfdir=%s' '--localstatedir=%s'\n", prefix, sysconfDir, localStateDir)
	fmt.Fprintf(w, "This is Cuttle, which reads the squid.conf of Squid 2.6.\n")
}
