package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
)

// parseOrder is -k parse: 2.6's own lines first and unchanged, because init
// scripts read them, and its exit status; then, with -v or on a terminal, what
// we have to say about the file.
func parseOrder(inv *invocation) int {
	verbose := inv.flags.verbose || isTerminal(inv.stderr)
	cfg, report := conf.Load(inv.flags.confFile, conf.Options{World: resolvingWorld{}, Lint: verbose})
	writeLegacyLines(inv.stderr, report, time.Now())
	if verbose {
		if cfg != nil {
			for _, f := range pageFindings(cfg) {
				fmt.Fprintf(inv.stderr, "%s: warning: %s; a start is refused\n", inv.flags.confFile, f.Fact)
			}
		}
		report.Explain(inv.stderr, inv.flags.verbose)
	}
	return report.Exit
}

// isTerminal reports whether somebody is looking.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
