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

// open tries again, when it is time.
func (a *absent) open() error {
	if a.out != nil {
		return nil
	}
	now := time.Now()
	if now.Before(a.next) {
		return a.err
	}
	a.next = now.Add(absentPause)
	out, err := openTarget(a.path, a.opener)
	if a.err = err; err == nil {
		a.out = out
	}
	return err
}

// Write implements io.Writer.
func (a *absent) Write(b []byte) (int, error) {
	if err := a.open(); err != nil {
		return 0, err
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
