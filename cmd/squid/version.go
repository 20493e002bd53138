package main

import (
	"fmt"
	"io"

	"github.com/cuttle-proxy/cuttle/conf"
)

func writeVersion(w io.Writer) {
	fmt.Fprintf(w, "Squid Cache: Version %s\n", conf.Version)
	fmt.Fprintf(w, "configure options:  '--prefix=%s' '--sysconfdir=%s' '--localstatedir=%s' '--datadir=%s' '--libexecdir=%s'\n",
		conf.Prefix, conf.SysconfDir, conf.StateDir, conf.DataDir, conf.LibexecDir)
	p := conf.DefaultPaths()
	fmt.Fprintf(w, "Built-in paths: %s, %s, %s, %s, %s, %s, %s\n", p.ConfigFile, p.CacheLog, p.AccessLog, p.PidFile, p.SwapDir, p.ErrorDir, p.IconDir)
	fmt.Fprintf(w, "This is Cuttle, which reads the squid.conf of Squid 2.6.\n")
}
