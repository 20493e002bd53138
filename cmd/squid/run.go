package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
)

// run serves and answers signals until one of them, or a failing listener, ends
// the process. It gives the exit status.
func (p *process) run(signals <-chan os.Signal) int {
	served := make(chan error, 1)
	go func() { served <- p.server.Serve() }()
	for {
		select {
		case err := <-served:
			if err == nil {
				return exitGood
			}
			p.failed = true
			p.cacheLog.writeFatal(err.Error())
			return exitFatal
		case done := <-p.reconfigures:
			done <- p.reconfigure()
		case <-p.cacheLogAgain():
			p.retryCacheLog()
		case sig := <-signals:
			switch sig {
			case syscall.SIGHUP:
				p.reconfigure()
			case syscall.SIGUSR1:
				p.rotate()
			case syscall.SIGUSR2:
				p.toggleDebug()
			case syscall.SIGTERM, syscall.SIGINT:
				return p.shutdown(sig, signals, served)
			}
		}
	}
}

// shutdown ends serving. With WCCP the routers are left first, while everything
// is still served. Then SIGTERM gives transfers shutdown_lifetime to finish;
// SIGINT, and any second signal to end, cuts both short.
func (p *process) shutdown(sig os.Signal, signals <-chan os.Signal, served <-chan error) int {
	notifyStopping()
	close(p.ending)
	cut := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if sig != syscall.SIGINT {
			p.host.LeaveWCCP(cut)
		}
		p.endTransfers(sig, cut)
	}()
	for asked := false; ; {
		select {
		case <-done:
			<-served
			return exitGood
		case again := <-signals:
			if (again == syscall.SIGTERM || again == syscall.SIGINT) && !asked {
				asked = true
				p.log.Info("Shutting down at once")
				close(cut)
			}
		}
	}
}

// lastSecond is how much longer than shutdown_lifetime 2.6 waits, and how long at
// SIGINT, for which it says it does not.
const lastSecond = time.Second

// endTransfers stops accepting and waits for transfers as long as is allowed.
func (p *process) endTransfers(sig os.Signal, cut <-chan struct{}) {
	lifetime := p.cfg.ShutdownLifetime
	if sig == syscall.SIGINT {
		lifetime = 0
	}
	p.host.SilenceWCCP()
	p.log.Info("Preparing for shutdown after {requests} requests", zap.Uint64("requests", p.server.Requests()))
	p.log.Info("Waiting {seconds} seconds for active connections to finish", zap.Int("seconds", int(lifetime/time.Second)))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.server.Shutdown(lifetime + lastSecond)
	}()
	select {
	case <-ended:
	case <-cut:
		p.server.Shutdown(0)
		<-ended
	}
	p.log.Info("Shutting down...")
}

// rotate renames and reopens every log: cache.log here, the others in forward.
func (p *process) rotate() {
	if err := p.server.Rotate(); err != nil {
		p.log.Warn("WARNING: log rotation: {error}", report.Error(err))
	}
	if err := p.rotateCacheLog(); err != nil {
		p.log.Warn("WARNING: rotation of cache.log: {error}", zap.Error(err))
	}
}

// fullDebug is what SIGUSR2 switches to.
var fullDebug = debugLevels{all: 7}

func (p *process) toggleDebug() {
	if p.cacheLog.levels.Load() == &fullDebug {
		p.cacheLog.setLevels(p.debugLevels())
		return
	}
	p.cacheLog.setLevels(&fullDebug)
}

// reconfigure reads the configuration again, completely, and swaps it in. A file
// that is refused leaves the running configuration untouched; of one that is not,
// what cannot be had is said, and the rest is in force.
func (p *process) reconfigure() (o outcome) {
	notifyReloading()
	defer notifyReady()
	p.log.Info("Reconfiguring Squid Cache (version {version})...", zap.String("version", conf.Version))
	if err := p.monitor.Learn(); err != nil {
		p.log.Warn("WARNING: {error}", report.Error(err))
	}
	cfg, report := conf.Load(p.inv.flags.confFile, conf.Options{World: p.monitor.World(resolvingWorld{})})
	for _, line := range report.Lines {
		if !line.Untrue && !strings.HasSuffix(line.Text, "Terminated abnormally.") { // nothing terminates here
			p.log.Warn(line.Text)
		}
	}
	if cfg == nil {
		p.keepOld(&o, "the new configuration is refused")
		return o
	}
	if why := refusal(report); why != "" {
		p.keepOld(&o, why)
		return o
	}
	cfg = p.inv.override(cfg)
	p.host.Prepare(cfg)
	if err := p.server.Swap(context.Background(), cfg); err != nil {
		p.host.Keep()
		p.keepOld(&o, err.Error())
		return o
	}
	if err := p.monitor.Adopt(); err != nil {
		p.problem(&o, err.Error())
	}
	for _, err := range p.host.Reconfigure(cfg) {
		p.problem(&o, err.Error())
	}
	for _, err := range p.server.Unserved() { // logged there
		o.Problems = append(o.Problems, err.Error())
	}
	p.adopt(cfg, &o)
	p.nameIdle(report)
	p.log.Info("Ready to serve requests.")
	debug.FreeOSMemory()
	return o
}

func (p *process) keepOld(o *outcome, why string) {
	o.Refused = true
	p.problem(o, "configuration not changed: "+why+"; serving goes on with the old one")
}

// adopt takes over what is not forward's: log levels, cache.log's place, the
// name of the pid file.
func (p *process) adopt(cfg *conf.Config, o *outcome) {
	old := p.cfg
	p.cfg = cfg
	p.adoptCacheLog(o)
	if cfg.PidFilename != old.PidFilename {
		p.monitor.RemovePid(old.PidFilename)
	}
	// Written anew in any case: somebody may have removed it.
	if err := p.monitor.WritePid(cfg.PidFilename); err != nil {
		p.problem(o, fmt.Sprintf("%s: %s", cfg.PidFilename, report.SystemText(err)))
	}
}

// leave undoes what outlives the process and says goodbye.
func (p *process) leave() {
	if p.control != nil {
		p.control.Close()
	}
	if p.host != nil {
		p.host.Close()
	}
	if err := p.monitor.RemovePid(p.cfg.PidFilename); err != nil {
		p.log.Warn("WARNING: cannot remove {file}: {error}", zap.String("file", p.cfg.PidFilename), zap.Error(err))
	}
	if p.server != nil && !p.failed {
		p.log.Info("Squid Cache (Version {version}): Exiting normally.", zap.String("version", conf.Version))
	}
	p.monitor.Close()
}
