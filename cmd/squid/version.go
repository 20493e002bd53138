package main

import (
	"fmt"
	"io"

	"github.com/cuttle-proxy/cuttle/conf"
)

func writeVersion(w io.Writer) {
	fmt.Fprintf(w, "Squid Cache: Version %s\n", conf.Version)
	fmt.Fprintf(w, "configure options:  '--prefix=%s' '--sysconfdir=%s' '--localstatedir=%s'\n", conf.Prefix, conf.SysconfDir, localState())
	p := conf.DefaultPaths()
	fmt.Fprintf(w, "Built-in paths: %s, %s, %s, %s, %s\n", p.ConfigFile, p.CacheLog, p.AccessLog, p.PidFile, p.SwapDir)
	fmt.Fprintf(w, "This is Cuttle, which reads the squid.conf of Squid 2.6.\n")
}

// localState is the folder the variable data of this build lies in.
func localState() string {
	const below = "/log/squid"
	if n := len(conf.LogDir) - len(below); n > 0 && conf.LogDir[n:] == below {
		return conf.LogDir[:n]
	}
	return conf.LogDir
}
