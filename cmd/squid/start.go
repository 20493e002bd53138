package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/cmd/squid/intercept"
	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/report"
)

// start is what happens without an order: check the configuration, refuse a
// second copy, then serve here (-N, or as the daemon's worker) or become a daemon.
func start(inv *invocation, role string) int {
	if err := absolute(&inv.flags.confFile); err != nil {
		fmt.Fprintln(inv.stderr, fatalLines(err.Error()))
		return exitFatal
	}
	serves := inv.flags.noDaemon || role == roleWorker
	if !serves && inv.skimsWell() {
		return daemonise(inv)
	}
	cfg, report := inv.read(conf.Options{})
	writeLegacyLines(inv.stderr, report, time.Now())
	if cfg == nil {
		return max(report.Exit, exitBad)
	}
	if why := refusal(report); why != "" {
		fmt.Fprintln(inv.stderr, fatalLines(why))
		return exitFatal
	}
	if pid := runningCopy(cfg.PidFilename); pid != 0 {
		fmt.Fprintf(inv.stderr, "%s| Squid is already running!  Process ID %d\n", time.Now().Format("2006/01/02 15:04:05"), pid)
		return exitBad
	}
	if serves {
		return serve(inv, cfg, report, role == roleWorker)
	}
	return daemonise(inv)
}

// skimsWell reports whether a look at the configuration, which does not read long lists
// to their end, finds nothing that keeps a daemon from starting. The worker reads the
// whole, says what is to be said of it while our streams are still its own, and
// its status is ours: nothing waits for lists to be read twice.
func (inv *invocation) skimsWell() bool {
	cfg, report := inv.read(conf.Options{Skim: true})
	return cfg != nil && refusal(report) == "" && runningCopy(cfg.PidFilename) == 0
}

// process is a serving process: what it was started with and what it built.
type process struct {
	inv      *invocation
	cfg      *conf.Config
	cacheLog *cacheLog
	// cacheLogPath is the file cache.log's lines go into, "" for none.
	cacheLogPath string
	// detached: the streams of the start are gone, or of no concern any more.
	detached bool
	log      *zap.Logger
	monitor  *privsep.Monitor // nil where root was not given up
	host     *intercept.Host
	control  *net.UnixListener
	server   *forward.Server
	named    map[string]bool // what was said to have no effect, by conf.Inert's key
	// supervised: a supervisor waits to hear that we serve, and standard error
	// goes away then.
	supervised bool

	failed       bool              // it ends by a FATAL, to which no farewell fits
	reconfigures chan chan outcome // ordered by -k reconfigure
	ending       chan struct{}     // closed when no more orders are taken
}

// serve is the life of a serving process, from a checked configuration to an
// exit status. It is the one function that every way of starting leads to.
func serve(inv *invocation, cfg *conf.Config, report *conf.Report, supervised bool) int {
	p := &process{inv: inv, cfg: cfg, supervised: supervised, reconfigures: make(chan chan outcome), ending: make(chan struct{})}
	p.cacheLog = newCacheLog(inv.stderr, inv.flags.debugStderr)
	p.log = p.cacheLog.logger()
	tuneServing()
	signals := catchSignals()
	if err := p.prepare(); err != nil {
		return p.fail(err)
	}
	p.nameIdleFlags()
	p.nameIdle(report)
	switch err := p.open(signals); {
	case errors.Is(err, errEnded):
		p.leave()
		return exitGood
	case err != nil:
		return p.fail(err)
	}
	p.tellReady()
	debug.FreeOSMemory() // what reading long lists left over
	go returnMemory(p.ending)
	status := p.run(signals)
	p.leave()
	return status
}

// prepare does what must be done as root, gives root up, and opens cache.log.
func (p *process) prepare() error {
	syscall.Umask(p.cfg.Umask)
	descriptors, limitErr := raiseDescriptorLimit(p.cfg.MaxFiledescriptors)
	id, err := privsep.LookUp(p.cfg)
	if err != nil {
		return err
	}
	if p.host, err = intercept.Open(p.cfg, p.log, p.inv.stderr); err != nil {
		return err
	}
	if id.Change {
		if p.monitor, err = privsep.Start(reexec(p.inv, roleMonitor, "(squid-monitor)")); err != nil {
			return err
		}
		p.host.Root = p.monitor
		if err := privsep.BecomeUser(id, intercept.Rights(p.cfg)); err != nil {
			return err
		}
	}
	p.startCacheLog()
	p.log.Info("Starting Squid Cache version {version} for {arch}-{os}...",
		zap.String("version", conf.Version), zap.String("arch", runtime.GOARCH), zap.String("os", runtime.GOOS))
	p.log.Info("Process ID {pid}", zap.Int("pid", os.Getpid()))
	p.log.Info("With {descriptors} file descriptors available", zap.Uint64("descriptors", descriptors))
	if limitErr != nil {
		p.log.Warn("WARNING: max_filedescriptors {wanted} cannot be had: {error}",
			zap.Int("wanted", p.cfg.MaxFiledescriptors), zap.Error(limitErr))
	}
	p.host.TellFindings()
	p.goToCoredumpDir()
	return nil
}

func (p *process) debugLevels() *debugLevels {
	if p.inv.flags.fullDebug {
		return &debugLevels{all: 9}
	}
	return parseDebugOptions(p.cfg.DebugOptions)
}

// goToCoredumpDir changes to coredump_dir, where a core file would be written.
func (p *process) goToCoredumpDir() {
	dir := p.cfg.CoredumpDir
	if dir == "" || dir == "none" {
		return
	}
	if err := os.Chdir(dir); err != nil {
		p.log.Warn("WARNING: cannot change to coredump_dir {folder}: {error}", zap.String("folder", dir), zap.Error(err))
		return
	}
	p.log.Info("Set Current Directory to {folder}", zap.String("folder", dir))
}

// open builds the rooms and opens the ports. Nothing is half open when it fails.
func (p *process) open(signals chan os.Signal) error {
	var err error
	if len(p.cfg.HTTPPorts) == 0 && len(p.cfg.HTTPSPorts) == 0 {
		return fatalError{"No port defined"}
	}
	p.server, err = forward.New(p.cfg, forward.Parts{Network: p.host.Network, PrepareLookup: p.host.Network.PrepareLookup, Log: p.log, Version: conf.Version, Disks: true, CheckDisks: p.inv.flags.checkSwap, LogFiles: p.monitor, Spawner: p.monitor.Spawner(), Overloaded: p.host.Overloaded})
	if err != nil {
		return err
	}
	if p.inv.flags.foreRebuild {
		if err := awaitIndex(p.server.Rebuilt(), signals); err != nil {
			p.server.Shutdown(0)
			return err
		}
	}
	if err := p.server.Listen(context.Background()); err != nil {
		return err
	}
	if err := p.host.Start(p.server); err != nil {
		return err
	}
	p.openControl()
	if err := p.monitor.WritePid(p.cfg.PidFilename); err != nil {
		if p.supervised { // nobody could find it again
			return fatalError{fmt.Sprintf("Cannot write the pid file: %s: %s; make its folder, or name another file in pid_filename",
				p.cfg.PidFilename, report.SystemText(err))}
		}
		p.log.Warn("WARNING: {file}: {error}", zap.String("file", p.cfg.PidFilename), zap.Error(err))
	}
	return nil
}

// errEnded: a signal ended the process while it waited for the index.
var errEnded = errors.New("ended by a signal")

// awaitIndex is -F: nothing is served before the cache knows what lies on its disks.
// Signals that do not end the process come again then.
func awaitIndex(rebuilt <-chan struct{}, signals chan os.Signal) error {
	var later []os.Signal
	for {
		select {
		case <-rebuilt:
			for _, sig := range later {
				select {
				case signals <- sig:
				default: // as many wait already
				}
			}
			return nil
		case sig := <-signals:
			if sig == syscall.SIGTERM || sig == syscall.SIGINT {
				return errEnded
			}
			if len(later) < cap(signals) {
				later = append(later, sig)
			}
		}
	}
}

// tellReady tells whoever started us that we serve: the supervisor, systemd.
func (p *process) tellReady() {
	p.log.Info("Ready to serve requests.")
	notifyReady()
	if p.supervised {
		p.detach()
		tellReady()
	}
}

// fail ends a start that cannot go on: one clear line, in cache.log and on
// standard error, and the status 2.6's abort gives.
func (p *process) fail(err error) int {
	p.failed = true
	p.cacheLog.writeFatal(p.fatalText(err))
	p.leave()
	return exitFatal
}

// fatalText is an error in 2.6's words where it has some.
func (p *process) fatalText(err error) string {
	var open *accesslog.OpenError
	switch {
	case !errors.As(err, &open):
	case errors.Is(err, syscall.ENOENT):
		return fmt.Sprintf("Cannot open '%s' because\n\tthe parent directory does not exist.\n\tPlease create the directory.", open.Path)
	case errors.Is(err, syscall.EACCES):
		return fmt.Sprintf("Cannot open '%s' for writing.\n\tThe parent directory must be writeable by the\n\tuser '%s', which is the cache_effective_user\n\tset in squid.conf.", open.Path, p.cfg.CacheEffectiveUser)
	}
	return err.Error()
}

// fatalError is a reason to end in 2.6's words.
type fatalError struct{ text string }

func (e fatalError) Error() string { return e.text }
