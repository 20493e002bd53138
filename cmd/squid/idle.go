package main

import (
	"fmt"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
)

// nameIdle names, once each, the directives the file gives that nothing acts on:
// loudly those still to come, quietly those that have lost their object.
func (p *process) nameIdle(report *conf.Report) {
	named := map[*conf.Directive]bool{}
	for _, g := range report.Given {
		if named[g.Directive] || switchedOff(p.cfg, g.Directive.Name) {
			continue
		}
		named[g.Directive] = true
		switch g.Directive.Effect {
		case conf.Pending:
			p.log.Warn(fmt.Sprintf("WARNING: %s line %d: %s has no effect in this release", g.Pos.File, g.Pos.Line, g.Directive.Name))
		case conf.Obsolete:
			p.log.Info(fmt.Sprintf("%s line %d: %s is accepted and has nothing left to act on", g.Pos.File, g.Pos.Line, g.Directive.Name))
		}
	}
}

// switchedOff says whether a directive without effect asks for just that.
func switchedOff(cfg *conf.Config, name string) bool {
	switch name {
	case "icp_port":
		return cfg.ICPPort == 0
	case "htcp_port":
		return cfg.HTCPPort == 0
	case "snmp_port":
		return cfg.SNMPPort == 0
	case "cache_store_log":
		return cfg.CacheStoreLog == "none"
	case "cache_dir":
		return len(cfg.CacheDirs) == 1 && cfg.CacheDirs[0].Type == "null"
	}
	return false
}

// nameIdleFlags does the same for the command line: quietly what has nothing to
// act on, and loudly a port for ICP.
func (p *process) nameIdleFlags() {
	if idle := p.inv.flags.idle(); len(idle) > 0 {
		p.log.Info("Options without effect here: " + strings.Join(idle, " "))
	}
	if port := p.inv.flags.icpPort; port > 0 {
		p.log.Warn(fmt.Sprintf("WARNING: -u %d: icp_port has no effect in this release", port))
	}
}

// idle lists the options given that are understood and change nothing: there is
// no DNS test to leave out (-D) and no store to rebuild or check (-F, -S, -Y), the
// runtime keeps fatal signals (-C), and a port that was just left can always be
// had again, also by a copy that replaces this one (-R).
func (f *flags) idle() []string {
	var list []string
	for _, o := range []struct {
		given bool
		word  string
	}{{f.noCatch, "-C"}, {f.noDNSTests, "-D"}, {f.foreRebuild, "-F"}, {f.noReuseAddr, "-R"}, {f.checkSwap, "-S"}, {f.icpOnlyHits, "-Y"}} {
		if o.given {
			list = append(list, o.word)
		}
	}
	return list
}
