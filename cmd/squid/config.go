package main

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// load reads the configuration of this invocation and prints what 2.6 prints
// about it. A nil Config comes with the exit status to end with.
func (inv *invocation) load() (*conf.Config, int) {
	return inv.said(inv.read(conf.Options{}))
}

// skim does so too, for orders that want to know who is running: it does not read long
// lists to their end.
func (inv *invocation) skim() (*conf.Config, int) {
	return inv.said(inv.read(conf.Options{Skim: true}))
}

func (inv *invocation) said(cfg *conf.Config, report *conf.Report) (*conf.Config, int) {
	writeLegacyLines(inv.stderr, report, time.Now())
	if cfg == nil {
		return nil, max(report.Exit, exitBad)
	}
	return cfg, exitGood
}

// read reads the configuration of this invocation and prints nothing.
func (inv *invocation) read(how conf.Options) (*conf.Config, *conf.Report) {
	how.World = resolvingWorld{}
	cfg, report := conf.Load(inv.flags.confFile, how)
	if cfg != nil {
		cfg = inv.override(cfg)
	}
	return cfg, report
}

// override gives a configuration with what the command line says otherwise (-u).
func (inv *invocation) override(cfg *conf.Config) *conf.Config {
	if inv.flags.icpPort < 0 {
		return cfg
	}
	changed := *cfg
	changed.ICPPort = uint16(inv.flags.icpPort)
	return &changed
}

// writeLegacyLines prints a report's lines of 2.6, debug output with its time.
func writeLegacyLines(to io.Writer, report *conf.Report, now time.Time) {
	w := bufio.NewWriter(to) // long lists have long reports
	defer w.Flush()
	for _, line := range report.Lines {
		if line.Untrue {
			continue
		}
		if line.Stamped {
			fmt.Fprint(w, now.Format("2006/01/02 15:04:05| "))
		}
		fmt.Fprintln(w, line.Text)
	}
}

// fatalLines are the lines 2.6 ends with when it cannot go on.
func fatalLines(text string) string {
	return "FATAL: " + text + "\n" + terminatedLine()
}

func terminatedLine() string {
	return fmt.Sprintf("Squid Cache (Version %s): Terminated abnormally.", conf.Version)
}
