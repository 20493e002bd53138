package accesslog

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Env is what the logs need from the process around them. Zero fields have
// defaults.
type Env struct {
	// Files opens and renames; the process itself by default.
	Files Opener
	// Name gives the host name of an address if it is known already, "" if not,
	// and may start finding it out; it must not wait. For log_fqdn and %>A.
	Name func(netip.Addr) string
	// Report is told of the first failure of a series while writing, and of its end.
	Report func(error)
	// Excuse is told of logs that cannot be opened, which are tried again as lines
	// come. Without it they are Open's error.
	Excuse func(error)
}

// Logs are all logs about requests of one configuration.
type Logs struct {
	cfg    *conf.LogSettings
	env    Env
	files  map[string]*File
	lines  []*Line
	agents *File // useragent_log
	refers *File // referer_log
	store  *File // cache_store_log
	stamps stampCache
	closed atomic.Bool
}

// Line is one access_log line.
type Line struct {
	// Conf is the line in squid.conf: its ACLs say which requests it logs. With
	// Kind conf.LogNone it logs nothing and ends the search for lines.
	Conf *conf.AccessLog

	logs   *Logs
	file   *File
	format *format
	common bool
}

// Open opens every log the configuration asks for. On error nothing stays open.
func Open(cfg *conf.LogSettings, env Env) (*Logs, error) {
	if env.Files == nil {
		env.Files = diskFiles{}
	}
	if env.Name == nil {
		env.Name = func(netip.Addr) string { return "" }
	}
	if env.Report == nil {
		env.Report = func(error) {}
	}
	l := &Logs{cfg: cfg, env: env, files: map[string]*File{}}
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Logs) open() (err error) {
	for _, c := range l.cfg.AccessLogs {
		line := &Line{Conf: c, logs: l}
		line.common = c.Kind == conf.LogCommon || c.Kind == conf.LogAuto && l.cfg.EmulateHTTPDLog
		if c.Kind == conf.LogCustom {
			if line.format, err = compile(c.Format); err != nil {
				return err
			}
		}
		if c.Kind != conf.LogNone {
			if line.file, err = l.file(c.Path); err != nil {
				return err
			}
		}
		l.lines = append(l.lines, line)
	}
	if wanted(l.cfg.UseragentLog) {
		if l.agents, err = l.file(l.cfg.UseragentLog); err != nil {
			return err
		}
	}
	if wanted(l.cfg.RefererLog) {
		if l.refers, err = l.file(l.cfg.RefererLog); err != nil {
			return err
		}
	}
	if wanted(l.cfg.CacheStoreLog) {
		if l.store, err = l.file(l.cfg.CacheStoreLog); err != nil {
			return err
		}
	}
	return nil
}

// wanted reports whether a file name names a file.
func wanted(path string) bool { return path != "" && path != "none" }

// file opens a log, or finds it open.
func (l *Logs) file(path string) (*File, error) {
	if f := l.files[path]; f != nil {
		return f, nil
	}
	f, err := openFile(path, l.env.Files, l.env.Report)
	if err != nil && l.env.Excuse != nil {
		l.env.Excuse(err)
		f, err = newFile(path, l.env.Files, &absent{path: path, opener: l.env.Files, err: err}, true, l.env.Report), nil
	}
	if err == nil {
		l.files[path] = f
	}
	return f, err
}

// Lines are the access_log lines in the order of squid.conf.
func (l *Logs) Lines() []*Line { return l.lines }

// Write logs an entry in the line's format.
func (w *Line) Write(e *Entry) {
	w.Put(e)
	e.Pending.Wait()
}

// Put is Write that leaves the wait for the kernel to the caller: e.Pending.
func (w *Line) Put(e *Entry) {
	if w.file == nil {
		return
	}
	l := w.logs
	e.client = l.masked(e.Client)
	name := ""
	if l.cfg.LogFQDN || w.format != nil && w.format.wantsName {
		name = l.env.Name(e.client)
	}
	buf := lineBuffers.Get().(*[]byte)
	line := (*buf)[:0]
	switch {
	case w.format != nil:
		line = w.format.append(line, e, name)
	case w.common:
		line = appendCommon(line, e, name, &l.stamps)
	default:
		line = appendNative(line, e, name)
	}
	if w.format == nil && l.cfg.LogMimeHdrs {
		line = appendMime(line, e)
	}
	e.Pending = e.Pending.And(w.file.put(endLine(buf, line)))
	lineBuffers.Put(buf)
}

// lineBuffers hold lines being formatted: a few that stay in the processor's
// cache, rather than one in each Entry.
var lineBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

// WantsAgents reports whether there is a useragent_log or referer_log.
func (l *Logs) WantsAgents() bool { return l.agents != nil || l.refers != nil }

// Agent logs the request in useragent_log and referer_log. 2.6 does so when
// http_access has let the request in, before it is answered. Of the entry it
// needs Now, Client, URL, UserAgent and Referer.
func (l *Logs) Agent(e *Entry) {
	if !l.WantsAgents() {
		return
	}
	e.client = l.masked(e.Client)
	name := ""
	if l.cfg.LogFQDN {
		name = l.env.Name(e.client)
	}
	buf := lineBuffers.Get().(*[]byte)
	defer lineBuffers.Put(buf)
	if l.agents != nil && e.UserAgent != nil {
		line := appendClient((*buf)[:0], name, e.client)
		line = append(line, " ["...)
		line = l.stamps.append(line, e.Now)
		line = append(line, `] "`...)
		line = append(line, e.UserAgent...)
		l.agents.Write(endLine(buf, append(line, '"')))
	}
	if l.refers != nil && e.Referer != nil {
		line := appendMillis((*buf)[:0], e.Now)
		line = append(line, ' ')
		line = appendClient(line, name, e.client)
		line = append(line, ' ')
		line = append(line, e.Referer...)
		line = append(line, ' ')
		l.refers.Write(endLine(buf, append(line, e.URL...)))
	}
}

// Rotate rotates all files (SIGUSR1, -k rotate) and reports what went wrong;
// logging goes on in any case.
func (l *Logs) Rotate() error {
	var problems []error
	for _, f := range l.files {
		problems = append(problems, f.Rotate(l.cfg.LogfileRotate))
	}
	return errors.Join(problems...)
}

// Reopen opens all files anew under their names. It is for the logs of a configuration
// that is not in force any more and is still used by what began under it: its files have
// been renamed by those of the one in force, or by whoever looks after them.
func (l *Logs) Reopen() error {
	if l.closed.Load() {
		return nil
	}
	var problems []error
	for _, f := range l.files {
		problems = append(problems, f.Rotate(0))
	}
	return errors.Join(problems...)
}

// Closed reports whether Close was called.
func (l *Logs) Closed() bool { return l.closed.Load() }

// Flush writes out everything written so far.
func (l *Logs) Flush() {
	for _, f := range l.files {
		f.Flush()
	}
}

// Close writes everything out and closes all files.
func (l *Logs) Close() error {
	l.closed.Store(true)
	var problems []error
	for _, f := range l.files {
		problems = append(problems, f.Close())
	}
	return errors.Join(problems...)
}

// Lost is the number of lines that could not be written.
func (l *Logs) Lost() (n int64) {
	for _, f := range l.files {
		n += f.Lost()
	}
	return n
}

// masked is an address as shown in logs: IPv4 ones under client_netmask.
func (l *Logs) masked(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !l.cfg.ClientNetmask.Is4() || !a.Is4() {
		return a
	}
	b, mask := a.As4(), l.cfg.ClientNetmask.As4()
	for i := range b {
		b[i] &= mask[i]
	}
	return netip.AddrFrom4(b)
}
