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
		if named[g.Directive] {
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
