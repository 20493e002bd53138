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

// Lines of two logs are waited for together; a third one's has the first go out.
func TestPendingLinesOfSeveralLogs(t *testing.T) {
	var out [3]writes
	var files [3]*File
	for i := range files {
		files[i] = newFile("test", diskFiles{}, &out[i], true, func(err error) { t.Error(err) })
	}
	var p Pending
	for _, step := range []struct {
		to   int
		want [3]int64 // lines written
	}{{0, [3]int64{}}, {1, [3]int64{}}, {1, [3]int64{}}, {0, [3]int64{}}, {2, [3]int64{2, 0, 0}}, {1, [3]int64{2, 0, 0}}, {0, [3]int64{2, 3, 0}}} {
		p = p.And(files[step.to].put([]byte("a\n")))
		if got := [3]int64{out[0].lines.Load(), out[1].lines.Load(), out[2].lines.Load()}; got != step.want {
			t.Errorf("behind a line for %d: %v are written, not %v", step.to, got, step.want)
		}
	}
	p.Wait()
	if got := [3]int64{out[0].lines.Load(), out[1].lines.Load(), out[2].lines.Load()}; got != [3]int64{3, 3, 1} {
		t.Errorf("%v", got)
	}
}
