package accesslog

import (
	"bytes"
	"io"
	"log/syslog"
	"strings"
)

// openTarget opens what an access_log line names: a file, or the system's log
// as "syslog", "syslog:priority" or "syslog:facility.priority".
func openTarget(path string, opener Opener) (io.WriteCloser, error) {
	if path != "syslog" && !strings.HasPrefix(path, "syslog:") {
		return opener.OpenLog(path)
	}
	_, spec, _ := strings.Cut(path, ":")
	priority := syslogPriority(spec)
	return &syslogTarget{dial: func() (io.WriteCloser, error) { return syslog.New(priority, "squid") }}, nil
}

// syslogWords are the names 2.6 takes, with or without "LOG_".
var syslogWords = map[string]syslog.Priority{
	"auth": syslog.LOG_AUTH, "authpriv": syslog.LOG_AUTHPRIV, "cron": syslog.LOG_CRON,
	"daemon": syslog.LOG_DAEMON, "user": syslog.LOG_USER,
	"local0": syslog.LOG_LOCAL0, "local1": syslog.LOG_LOCAL1, "local2": syslog.LOG_LOCAL2,
	"local3": syslog.LOG_LOCAL3, "local4": syslog.LOG_LOCAL4, "local5": syslog.LOG_LOCAL5,
	"local6": syslog.LOG_LOCAL6, "local7": syslog.LOG_LOCAL7,
	"emerg": syslog.LOG_EMERG, "alert": syslog.LOG_ALERT, "crit": syslog.LOG_CRIT, "err": syslog.LOG_ERR,
	"warning": syslog.LOG_WARNING, "notice": syslog.LOG_NOTICE, "info": syslog.LOG_INFO, "debug": syslog.LOG_DEBUG,
}

// syslogPriority reads "facility.priority" (or "|" for "."); what is missing or
// unknown is local4 and info, as 2.6 sends it.
func syslogPriority(spec string) syslog.Priority {
	const severityBits = 7
	facility, severity := syslog.Priority(0), syslog.Priority(0)
	for _, word := range strings.FieldsFunc(spec, func(r rune) bool { return r == '.' || r == '|' }) {
		p := syslogWords[strings.TrimPrefix(strings.ToLower(word), "log_")]
		if p > severityBits {
			facility = p
		} else {
			severity = p
		}
	}
	if severity == 0 {
		severity = syslog.LOG_INFO
	}
	if facility == 0 {
		facility = syslog.LOG_LOCAL4
	}
	return facility | severity
}

// syslogTarget sends each line of a batch as a message of its own. It connects
// with the first one: a host whose log daemon is not there (yet) loses lines,
// not the proxy.
type syslogTarget struct {
	dial func() (io.WriteCloser, error)
	w    io.WriteCloser // nil until connected
}

func (t *syslogTarget) Write(batch []byte) (n int, err error) {
	if t.w == nil {
		if t.w, err = t.dial(); err != nil {
			t.w = nil
			return 0, err
		}
	}
	for len(batch) > 0 {
		line, rest, _ := bytes.Cut(batch, []byte{'\n'})
		if _, err := t.w.Write(line); err != nil {
			return n, err
		}
		n += len(batch) - len(rest)
		batch = rest
	}
	return n, nil
}

func (t *syslogTarget) Close() error {
	if t.w == nil {
		return nil
	}
	return t.w.Close()
}
