package accesslog

import "testing"

// A line that was put down goes out with the next write, whoever makes it, and at the
// latest with Wait, Flush or Close.
func TestPendingLines(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(f *File, p Pending)
		lines int64
	}{
		"wait":    {func(_ *File, p Pending) { p.Wait(); p.Wait() }, 1},
		"another": {func(f *File, _ Pending) { f.Write([]byte("b\n")) }, 2},
		"flush":   {func(f *File, _ Pending) { f.Flush(); f.Flush() }, 1},
		"close":   {func(f *File, p Pending) { f.Close(); p.Wait(); f.put([]byte("late\n")).Wait() }, 1},
		"none":    {func(f *File, p Pending) { Pending{}.Wait(); f.Flush() }, 1},
	} {
		var out writes
		f := newFile("test", diskFiles{}, &out, true, func(err error) { t.Error(err) })
		p := f.put([]byte("a\n"))
		if out.lines.Load() != 0 {
			t.Errorf("%s: written before anybody waits", name)
		}
		if c.end(f, p); out.lines.Load() != c.lines || out.count.Load() != 1 {
			t.Errorf("%s: %d lines in %d writes", name, out.lines.Load(), out.count.Load())
		}
	}
}
