package accesslog

import (
	"io"
	"time"
)

// absent stands for a log that could not be opened: it is tried again as lines come,
// and now and then.
type absent struct {
	path   string
	opener Opener
	out    io.WriteCloser // once it could be
	err    error
	next   time.Time
}

// absentPause is the time between two tries.
const absentPause = 10 * time.Second

// Write implements io.Writer.
func (a *absent) Write(b []byte) (int, error) {
	if a.out == nil {
		now := time.Now()
		if now.Before(a.next) {
			return 0, a.err
		}
		a.next = now.Add(absentPause)
		out, err := openTarget(a.path, a.opener)
		if err != nil {
			a.err = err
			return 0, err
		}
		a.out = out
	}
	return a.out.Write(b)
}

// Close implements io.Closer.
func (a *absent) Close() error {
	if a.out == nil {
		return nil
	}
	return a.out.Close()
}
