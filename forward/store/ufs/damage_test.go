package ufs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// TestDamage: whatever happens to the files of a directory between two runs, what
// is opened under a key has that key's URL and the length that was stored, and the
// directory can be used. (2.6's format has no checksums: of a file's octets only
// the swap header and the length can be told to be wrong.)
func TestDamage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o, d, index := filled(t, 12)
		end(t, d, index, rapid.Bool().Draw(rt, "clean"))
		for range rapid.IntRange(1, 6).Draw(rt, "damages") {
			damage(rt, o.Path)
		}
		d, err := Open(o)
		if err != nil {
			if !errors.Is(err, ErrForeign) {
				rt.Fatal(err)
			}
			return
		}
		defer d.Close()
		x := simpleIndex{d: d, entries: map[Key]*Record{}}
		if _, err := d.Rebuild(context.Background(), x.sink()); err != nil {
			rt.Fatal(err)
		}
		for i := range 12 {
			o := object{url: fmt.Sprintf("http://a/%d", i)}
			if rec := x.entries[o.key()]; rec != nil {
				checkOpened(rt, d, rec, o.url)
			}
		}
		checkObject(t, d, mustStore(t, d, &object{url: "http://a/after", size: 300}))
	})
}

// checkOpened opens an entry of a damaged directory. It may fail; if it does not,
// its octets are those of its URL, or noise of the same length.
func checkOpened(t *rapid.T, d *Dir, rec *Record, url string) {
	want := Want{Key: rec.Key, Size: rec.Size, Timestamp: rec.Timestamp, URL: []byte(url)}
	o, err := d.OpenObject(rec.Number, &want, make([]byte, 4096), false)
	if err != nil {
		if !errors.Is(err, ErrMismatch) && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		return
	}
	defer o.File.Close()
	reply := make([]byte, o.Size-o.HeadOffset)
	if _, err := o.File.ReadAt(reply, o.HeadOffset); err != nil {
		t.Error(err)
	}
	_, body, _ := bytes.Cut(reply, []byte("\r\n\r\n"))
	stored := object{url: url, size: len(body), unknown: !bytes.Contains(reply, []byte("Content-Length"))}
	if want := stored.reply(); !bytes.Contains(reply, []byte(noise[:1])) && !bytes.Equal(reply, want) {
		t.Errorf("%s: %q, stored was %q", o.URL, reply, want)
	}
}

// noise marks octets that damage has written.
const noise = "\x01\x01\x01\x01\x01"

// damage does something to one file or to two.
func damage(t *rapid.T, dir string) {
	files := filesOf(dir)
	if len(files) == 0 {
		return
	}
	any := rapid.IntRange(0, len(files)-1)
	path := filepath.Join(dir, files[any.Draw(t, "file")])
	if rapid.IntRange(0, 3).Draw(t, "swap.state") == 0 {
		path = filepath.Join(dir, "swap.state")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return // removed before
	}
	at := rapid.IntRange(0, len(data)).Draw(t, "at")
	switch rapid.SampledFrom([]string{"cut", "noise", "exchange", "remove", "append", "repeat", "all noise"}).Draw(t, "damage") {
	case "cut":
		data = data[:at]
	case "noise":
		copy(data[at:], noise)
	case "exchange":
		other := filepath.Join(dir, files[any.Draw(t, "other")])
		swapFiles(path, other)
		return
	case "remove":
		os.Remove(path)
		return
	case "append":
		data = append(data, noise...)
	case "repeat":
		data = append(data[:at:at], data...)
	case "all noise":
		data = bytes.Repeat([]byte(noise), len(data)/len(noise)+1)[:len(data)]
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func swapFiles(a, b string) {
	os.Rename(a, a+"x")
	os.Rename(b, a)
	os.Rename(a+"x", b)
}

// filesOf lists the files below dir.
func filesOf(dir string) (files []string) {
	filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			files = append(files, rel)
		}
		return nil
	})
	return files
}

// FuzzReplay: no swap.state panics, and what it names is in its bounds.
func FuzzReplay(f *testing.F) {
	for name := range recordedDirs {
		path, _ := unpack(f, name)
		log, err := os.ReadFile(filepath.Join(path, "swap.state"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(log[:recordSize*5+10], true)
		f.Add(log[recordSize*30:], false)
	}
	last := Record{Number: maxNumbers - 1, Size: 1}
	f.Add(last.append(appendHeader(nil), opAdd), true)
	f.Fuzz(func(t *testing.T, log []byte, headed bool) {
		if headed {
			log = append(appendHeader(nil), log...)
		}
		if checkHeader(log) != nil {
			return
		}
		d := &Dir{readOnly: true, found: foundLog{end: int64(len(log)) / recordSize * recordSize}}
		r := rebuild{Dir: d, ctx: context.Background(), log: bytes.NewReader(log)}
		r.sink.Load = func(rec *Record) Verdict {
			if rec.Number < 0 || rec.Number >= maxNumbers || rec.Size <= 0 || rec.Size > maxObjectFile {
				t.Errorf("loaded %+v", rec)
			}
			if !d.numbers.has(rec.Number) {
				t.Errorf("%d is free, and loaded", rec.Number)
			}
			return Loaded
		}
		if err := errors.Join(r.readNumbers(), r.load(false)); err != nil {
			t.Error(err)
		}
		if d.numbers.used() < r.report.Loaded || r.report.Records != int(d.found.end/recordSize-1) {
			t.Errorf("%d numbers in use, %+v", d.numbers.used(), r.report)
		}
	})
}
