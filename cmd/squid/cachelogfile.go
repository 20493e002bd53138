package main

import (
	"fmt"
	"os"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// cacheLogPause is the time between two tries to open a cache.log that could not be.
const cacheLogPause = 3 * time.Second

// startCacheLog starts cache.log under debug_options. As in 2.6 a file that
// cannot be opened does not stop the start: the lines go to standard error, and where
// that ends to syslog, until the file can be had.
func (p *process) startCacheLog() {
	p.cacheLog.setLevels(p.debugLevels())
	if p.inv.flags.syslog != "" {
		if err := p.cacheLog.openSyslog(p.inv.flags.syslog); err != nil {
			fmt.Fprintf(p.inv.stderr, "WARNING: no syslog: %v\n", err)
		}
	}
	if !p.lacksCacheLog() {
		return
	}
	if err := p.openCacheLog(); err != nil {
		fmt.Fprintf(p.inv.stderr, "WARNING: Cannot write log file: %s\n%s: %s\n         messages will be sent to 'stderr'.\n",
			p.cfg.CacheLog, p.cfg.CacheLog, report.SystemText(err))
	}
}

// detach lets go of the streams a daemon was started with; its runtime then writes its
// last words into cache.log.
func (p *process) detach() {
	p.detached = true
	file := p.cacheLog.current()
	if file == nil && p.inv.flags.foreground { // its standard error has a reader
		return
	}
	redirectStreams(file)
	if file == nil && p.lacksCacheLog() && p.cacheLog.standIn() {
		p.log.Warn("WARNING: Cannot write log file: {path}; until it can be, its lines are here", zap.String("path", p.cfg.CacheLog))
	}
}

// lacksCacheLog reports whether lines go elsewhere than into the file cache_log names.
func (p *process) lacksCacheLog() bool {
	path := p.cfg.CacheLog
	return path != "" && path != "none" && path != p.cacheLogPath
}

// cacheLogAgain fires when the file is to be tried again.
func (p *process) cacheLogAgain() <-chan time.Time {
	if !p.lacksCacheLog() {
		return nil
	}
	return time.After(cacheLogPause)
}

func (p *process) retryCacheLog() {
	if p.openCacheLog() == nil {
		p.log.Info("log file {path} works again", zap.String("path", p.cacheLogPath))
	}
}

func (p *process) openCacheLog() error {
	f, err := p.monitor.OpenLog(p.cfg.CacheLog)
	if err == nil {
		p.useCacheLog(f)
	}
	return err
}

// useCacheLog goes on in another file, the one cache_log names, and takes along what a
// daemon's runtime says at its end.
func (p *process) useCacheLog(f *os.File) {
	p.cacheLog.use(f)
	p.cacheLogPath = p.cfg.CacheLog
	if p.detached {
		redirectStreams(f)
	}
}

// rotateCacheLog does with cache.log what the others' rotation does. As with 2.6 what is
// no regular file stays: a FIFO, a device, a terminal.
func (p *process) rotateCacheLog() error {
	path := p.cfg.CacheLog
	if path == "" || path == "none" || path == p.cacheLogPath && !p.cacheLog.inFile() {
		return nil
	}
	f, err := accesslog.Renew(path, p.cfg.LogfileRotate, p.monitor)
	if f != nil {
		p.useCacheLog(f)
	}
	return err
}

// adoptCacheLog goes on in the file that a new configuration names.
func (p *process) adoptCacheLog(o *outcome) {
	p.cacheLog.setLevels(p.debugLevels())
	if p.lacksCacheLog() {
		if err := p.openCacheLog(); err != nil {
			p.problem(o, fmt.Sprintf("Cannot write log file: %s: %s", p.cfg.CacheLog, report.SystemText(err)))
		}
		return
	}
	if p.cacheLogPath != p.cfg.CacheLog && p.cacheLog.current() != nil {
		p.problem(o, "cache_log none: the log goes on in its file until the next start")
	}
}
