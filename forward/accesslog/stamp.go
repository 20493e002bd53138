package accesslog

import (
	"sync/atomic"
	"time"
)

// stampLayout is the time of the common log format.
const stampLayout = "02/Jan/2006:15:04:05 -0700"

// stampCache formats the present second once for all writers, in local time.
type stampCache struct {
	last atomic.Pointer[stamp]
}

type stamp struct {
	second int64
	text   string
}

func (c *stampCache) append(dst []byte, t time.Time) []byte {
	s := c.last.Load()
	if s == nil || s.second != t.Unix() {
		s = &stamp{t.Unix(), t.Local().Format(stampLayout)}
		c.last.Store(s)
	}
	return append(dst, s.text...)
}
