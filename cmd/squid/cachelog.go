package main

import (
	"io"
	"log/syslog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// cacheLog is cache.log: a zap core that writes each entry as Squid's line
//
//	2026/11/23 04:00:28| Ready to serve requests.
//
// lineencoder.go says how fields are written. Lines are written unbuffered, since their
// readers want them when things go wrong. Until Open is called lines go to
// standard error, as 2.6's do before it has read its configuration.
type cacheLog struct {
	levels atomic.Pointer[debugLevels]
	// loudest is the highest level of all sections.
	loudest atomic.Int32
	// stderrLevel is -d: lines up to this debug level are copied to standard error.
	stderrLevel int

	mu     sync.Mutex
	file   *os.File
	pipe   *pipeWriter // file, when it is a FIFO or a terminal
	loss   lossyFile   // what the file did not take
	stderr io.Writer
	syslog noticer
	// standsIn: syslog gets lines only as long as there is no file.
	standsIn bool
	now      func() time.Time
}

// noticer is what of syslog is used.
type noticer interface {
	Warning(string) error
	Notice(string) error
	Close() error
}

func newCacheLog(stderr io.Writer, stderrLevel int) *cacheLog {
	l := &cacheLog{stderr: stderr, stderrLevel: stderrLevel, now: time.Now}
	l.setLevels(&debugLevels{all: 0})
	return l
}

// setLevels says which lines are written from now on.
func (l *cacheLog) setLevels(d *debugLevels) {
	l.levels.Store(d)
	l.loudest.Store(int32(d.highest()))
}

// logger is what the rooms are given; each room calls Named with its own name.
func (l *cacheLog) logger() *zap.Logger { return zap.New(&cacheCore{log: l}) }

// use starts writing to an open file, the one cache_log names.
func (l *cacheLog) use(f *os.File) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.pipe = f, newPipeWriter(f)
	if l.standsIn {
		l.syslog.Close()
		l.syslog, l.standsIn = nil, false
	}
}

// standIn has syslog take the lines of levels 0 and 1 as long as there is no file, and
// reports whether it does.
func (l *cacheLog) standIn() bool {
	l.mu.Lock()
	lacks := l.syslog == nil
	l.mu.Unlock()
	if lacks && l.openSyslog("local4") != nil {
		return false
	}
	l.mu.Lock()
	l.standsIn = lacks
	l.mu.Unlock()
	return true
}

// current gives the open file, nil before there is one.
func (l *cacheLog) current() *os.File {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file
}

// inFile reports whether lines go to a regular file.
func (l *cacheLog) inFile() bool {
	f := l.current()
	if f == nil {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// openSyslog copies level 0 and 1 lines to syslog too (-s, -l).
func (l *cacheLog) openSyslog(facility string) error {
	w, err := syslog.New(facilityPriority(facility)|syslog.LOG_NOTICE, "squid")
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.syslog = w
	l.mu.Unlock()
	return nil
}

func facilityPriority(word string) syslog.Priority {
	byWord := map[string]syslog.Priority{
		"authpriv": syslog.LOG_AUTHPRIV, "daemon": syslog.LOG_DAEMON, "user": syslog.LOG_USER,
		"local0": syslog.LOG_LOCAL0, "local1": syslog.LOG_LOCAL1, "local2": syslog.LOG_LOCAL2, "local3": syslog.LOG_LOCAL3,
		"local4": syslog.LOG_LOCAL4, "local5": syslog.LOG_LOCAL5, "local6": syslog.LOG_LOCAL6, "local7": syslog.LOG_LOCAL7,
	}
	return byWord[word]
}

var lineBuffers = buffer.NewPool()

// write puts one line where lines of its level go. A cache.log that cannot be
// written must not stop the proxy, so errors end here.
func (l *cacheLog) write(level int, at time.Time, message string, fields []zapcore.Field) {
	line := lineBuffers.Get()
	defer line.Free()
	line.AppendTime(at, "2006/01/02 15:04:05")
	line.AppendString("| ")
	stamp := line.Len()
	report.AppendLine(line, message, fields)
	line.AppendByte('\n')
	l.put(level, line.Bytes(), stamp)
}

// writeFatal writes the lines 2.6 ends with, which carry no time, into cache.log
// and on standard error. A line of text's that begins with a tab goes on the one before.
func (l *cacheLog) writeFatal(text string) {
	var line buffer.Buffer
	line.AppendString("FATAL: ")
	for i, part := range strings.Split(text, "\n\t") {
		if i > 0 {
			line.AppendString("\n\t")
		}
		report.AppendClean(&line, part)
	}
	line.AppendByte('\n')
	l.put(alwaysShown, line.Bytes(), 0)
	l.put(alwaysShown, []byte(terminatedLine()+"\n"), 0)
}

// alwaysShown is the level of lines that reach standard error without -d.
const alwaysShown = -1

// put writes a line, of which syslog gets what stands behind the time.
func (l *cacheLog) put(level int, line []byte, stamp int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.pipe != nil:
		l.pipe.put(line)
	case l.file != nil:
		l.loss.put(l.file, line)
	}
	if l.file == nil || level <= l.stderrLevel {
		l.stderr.Write(line)
	}
	if l.syslog == nil || level > 1 {
		return
	}
	text := string(line[stamp : len(line)-1])
	if level <= 0 {
		l.syslog.Warning(text)
		return
	}
	l.syslog.Notice(text)
}

// cacheCore is the zap side of cacheLog.
type cacheCore struct {
	log    *cacheLog
	fields []zapcore.Field
	// section is the debug section all lines are of, 0 for that of their logger's name.
	section int
}

// debugLevel gives 2.6's level of a zap level: warnings and errors are level 0,
// information is level 1, debugging is level 2, and each zap level below that one
// level more: zapcore.DebugLevel-1 is level 3.
func debugLevel(l zapcore.Level) int {
	return max(0, 1-int(l))
}

// Loudest implements report.Loud.
func (c *cacheCore) Loudest() *atomic.Int32 { return &c.log.loudest }

func (c *cacheCore) Enabled(l zapcore.Level) bool {
	if c.section != 0 {
		return debugLevel(l) <= c.log.levels.Load().section(c.section)
	}
	return debugLevel(l) <= c.log.levels.Load().highest()
}

func (c *cacheCore) With(fields []zapcore.Field) zapcore.Core {
	with := &cacheCore{log: c.log, section: c.section}
	for _, f := range slices.Concat(c.fields, fields) {
		if f.Key == report.SectionKey && f.Type == zapcore.Int64Type {
			with.section = int(f.Integer)
		} else {
			with.fields = append(with.fields, f)
		}
	}
	return with
}

func (c *cacheCore) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.section != 0 && c.Enabled(e.Level) || c.section == 0 && debugLevel(e.Level) <= c.log.levels.Load().of(e.LoggerName) {
		return to.AddCore(e, c)
	}
	return to
}

func (c *cacheCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	if len(c.fields) > 0 {
		fields = slices.Concat(c.fields, fields)
	}
	c.log.write(debugLevel(e.Level), e.Time, e.Message, fields)
	return nil
}

func (c *cacheCore) Sync() error { return nil }
