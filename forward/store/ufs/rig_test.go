package ufs

import (
	"context"
	"crypto/md5"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
)

func mustOpen(t testing.TB, o Options) *Dir {
	t.Helper()
	d, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// newDir makes an empty directory of 2 x 2 folders.
func newDir(t testing.TB) Options {
	t.Helper()
	o := Options{Path: t.TempDir(), L1: 2, L2: 2}
	mustMake(t, o)
	return o
}

func mustMake(t testing.TB, o Options) {
	t.Helper()
	if err := MakeFolders(o.Path, o.L1, o.L2, func(path string) error { return os.MkdirAll(path, 0o755) }); err != nil {
		t.Fatal(err)
	}
}

// simpleIndex is an index as the store's, without its speed: the younger of two
// objects with one key wins.
type simpleIndex struct {
	d       *Dir
	entries map[Key]*Record
	faults  []error
}

func (x *simpleIndex) sink() Sink {
	return Sink{Load: x.load, Report: func(err error) { x.faults = append(x.faults, err) }}
}

func (x *simpleIndex) load(r *Record) Verdict {
	rec := *r
	old := x.entries[rec.Key]
	if old != nil && old.LastRef > rec.LastRef {
		return Older
	}
	x.entries[rec.Key] = &rec
	if old == nil {
		return Loaded
	}
	x.d.Delete(old)
	if err := x.d.Unlink(old.Number); err != nil {
		x.faults = append(x.faults, err)
	}
	return Replaced
}

func mustRebuild(t testing.TB, d *Dir) (map[Key]*Record, Report) {
	t.Helper()
	x := simpleIndex{d: d, entries: map[Key]*Record{}}
	report, err := d.Rebuild(context.Background(), x.sink())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range x.faults {
		t.Error(err)
	}
	return x.entries, report
}

// object is something to store: its URL tells its key, its body repeats the URL and
// the version.
type object struct {
	url     string
	version int
	size    int
	unknown bool // the length is not known when the swap header is written
}

func (o *object) key() Key { return md5.Sum(append([]byte{1}, o.url...)) }

const objectTime = 1_800_000_000

func (o *object) meta() Meta {
	m := Meta{Key: o.key(), URL: []byte(o.url), RefCount: 1, Flags: FlagCachable | FlagDispatched | FlagValidated,
		Times: Times{objectTime + int64(o.version), objectTime + int64(o.version), objectTime + 1e6, -1}, ObjectSize: int64(len(o.reply()))}
	if o.unknown {
		m.ObjectSize = -1
	}
	return m
}

// reply is head and body.
func (o *object) reply() []byte {
	head := "HTTP/1.0 200 OK\r\n\r\n"
	if !o.unknown {
		head = fmt.Sprintf("HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n", o.size)
	}
	line := fmt.Sprintf("%s version %d\n", o.url, o.version)
	b := make([]byte, 0, len(head)+o.size)
	b = append(b, head...)
	for len(b) < len(head)+o.size {
		b = append(b, line...)
	}
	return b[:len(head)+o.size]
}

// mustStore stores an object as a caller does.
func mustStore(t testing.TB, d *Dir, o *object) *Record {
	t.Helper()
	rec, err := store(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func store(d *Dir, o *object) (*Record, error) { return storeWith(d, o, func(*Record) {}) }

// storeWith stores an object; index is told of it before swap.state is.
func storeWith(d *Dir, o *object, index func(*Record)) (*Record, error) {
	n, err := d.Allocate()
	if err != nil {
		return nil, err
	}
	m := o.meta()
	file, offset, err := d.Create(n, &m)
	if err != nil {
		return nil, err
	}
	reply := o.reply()
	for at := 0; at < len(reply); at += 4096 { // as it comes from an origin
		if _, err := file.WriteAt(reply[at:min(at+4096, len(reply))], offset+int64(at)); err != nil {
			return nil, err
		}
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	rec := &Record{Number: n, Times: m.Times, Size: offset + int64(len(reply)), RefCount: 1, Flags: m.Flags, Key: m.Key}
	index(rec)
	return rec, d.Add(rec)
}

// eachFile gives every file of a directory to change, as damage does.
func eachFile(t testing.TB, dir string, change func(path string, data []byte) []byte) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, change(path, data), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sameRecords compares two indexes.
func sameRecords(t testing.TB, got, want map[Key]*Record) {
	t.Helper()
	if !maps.EqualFunc(got, want, func(a, b *Record) bool { return *a == *b }) {
		t.Errorf("%d records differ from the %d wanted", len(got), len(want))
		for key, w := range want {
			if g := got[key]; g == nil || *g != *w {
				t.Errorf("%x: got %+v, want %+v", key, g, w)
			}
		}
	}
}
