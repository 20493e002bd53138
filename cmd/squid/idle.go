package main

import (
	"strings"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/conf"
)

// nameIdle names the directives and options the file gives that nothing acts on,
// each once in the life of the process: loudly those still to come, quietly those
// that have lost their object.
func (p *process) nameIdle(report *conf.Report) {
	if p.named == nil {
		p.named = map[string]bool{}
	}
	for i := range report.Inert {
		in := &report.Inert[i]
		if p.named[in.Key()] {
			continue
		}
		p.named[in.Key()] = true
		line, write := "{file} line {line}: {effect}", p.log.Info
		if in.Effect == conf.Pending {
			line, write = "WARNING: "+line, p.log.Warn
		}
		write(line, zap.String("file", in.Pos.File), zap.Int("line", in.Pos.Line), zap.String("effect", in.Text()))
	}
}

// refusal says why a file that was read is not to be served, "" when it can be:
// something in it has no effect yet whose absence would do harm.
func refusal(report *conf.Report) string { return strings.Join(report.Harmful(), "; ") }

// nameIdleFlags does the same for the command line.
func (p *process) nameIdleFlags() {
	if idle := p.inv.flags.idle(); len(idle) > 0 {
		p.log.Info("Options without effect here: {options}", zap.String("options", strings.Join(idle, " ")))
	}
}

// idle lists the options given that are understood and change nothing: there is
// no DNS test to leave out (-D), ICP answers as ever while the index is rebuilt, so that
// neighbours may fetch here what is not known yet (-Y), the runtime keeps fatal signals
// (-C), and a port that was just left can always be had again, also by a copy that
// replaces this one (-R).
func (f *flags) idle() []string {
	var list []string
	for _, o := range []struct {
		given bool
		word  string
	}{{f.noCatch, "-C"}, {f.noDNSTests, "-D"}, {f.noReuseAddr, "-R"}, {f.icpOnlyHits, "-Y"}} {
		if o.given {
			list = append(list, o.word)
		}
	}
	return list
}
