package helper

import (
	"bufio"
	"bytes"
	"os"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// Bounds of what helpers may write into cache.log.
const (
	complaintLength = 1024 // bytes a line
	complaintBurst  = 50   // lines in complaintSpan
	complaintSpan   = 10 * time.Second
)

// complaints takes what the processes of a pool write to standard error into the
// log, line by line.
type complaints struct {
	name string
	log  *zap.Logger
	once sync.Once
	w    *os.File
}

func newComplaints(name string, log *zap.Logger) *complaints {
	return &complaints{name: name, log: log}
}

// writer is the processes' end; without one they share ours.
func (c *complaints) writer() *os.File {
	c.once.Do(func() {
		r, w, err := os.Pipe()
		if err != nil {
			c.log.Warn("WARNING: {helper}: what helpers complain of is lost: {error}", zap.String("helper", c.name), report.Error(err))
			return
		}
		c.w = w
		go c.copy(r)
	})
	if c.w == nil {
		return os.Stderr
	}
	return c.w
}

func (c *complaints) close() {
	c.once.Do(func() {})
	if c.w != nil {
		c.w.Close() // the reader goes on until the last process has closed its own
	}
}

func (c *complaints) copy(r *os.File) {
	defer r.Close()
	in := bufio.NewReaderSize(r, complaintLength)
	var few throttle
	for {
		line, err := in.ReadSlice('\n')
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			if few.passes(c.name, c.log) {
				c.log.Info("{helper}: {complaint}", zap.String("helper", c.name), zap.String("complaint", printable(line)))
			}
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// throttle bounds what is told of one thing a program does.
type throttle struct {
	began time.Time
	lines int
}

// passes reports whether one more line may be logged; the log is told when none may any
// more.
func (t *throttle) passes(name string, log *zap.Logger) bool {
	if now := time.Now(); now.Sub(t.began) > complaintSpan {
		t.began, t.lines = now, 0
	}
	if t.lines++; t.lines == complaintBurst {
		log.Warn("WARNING: {helper} complains too much: lines are left out", zap.String("helper", name))
	}
	return t.lines < complaintBurst
}

// printable keeps a line of text from being more than that.
func printable(line []byte) string {
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, line))
}
