package main

import (
	"fmt"

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
		case conf.Moot:
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
