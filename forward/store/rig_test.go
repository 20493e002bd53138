package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// patience is for what must happen, however slow the machine is.
const patience = 30 * time.Second

// memoryOnly is a store without directories, large enough for most tests.
func memoryOnly() Config {
	return Config{Memory: 4 << 20, MaxInMemory: 256 << 10, ReadAheadGap: 16 << 10, SwapLow: 90, SwapHigh: 95,
		QuickAbortMin: 16 << 10, QuickAbortMax: 16 << 10, QuickAbortPct: 95, Workers: 4}
}

// open opens a store that is closed, and looked over, when the test ends.
func open(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	s.mem.SetPoison(true)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if st := s.Stats(); st.Faults != 0 || st.Pinned != 0 {
			t.Errorf("at the end: %+v", st)
		}
	})
	return s
}

// ufsDir is a cache_dir line for a directory of its own.
func ufsDir(t testing.TB, size int64) DirConfig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cache")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := ufs.MakeFolders(path, 2, 2, func(p string) error { return os.Mkdir(p, 0o755) }); err != nil {
		t.Fatal(err)
	}
	return DirConfig{Path: path, Size: size, MaxSize: -1, Open: func() (Directory, error) {
		return ufs.Open(ufs.Options{Path: path, L1: 2, L2: 2})
	}}
}

// withDisk is a store with one directory.
func withDisk(t testing.TB) Config {
	c := memoryOnly()
	c.Dirs = []DirConfig{ufsDir(t, 64<<20)}
	return c
}

// eventually waits for what happens in the background.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// rebuilt waits until the directories take objects.
func rebuilt(t testing.TB, s *Store) *Store {
	eventually(t, "all directories are rebuilt", func() bool {
		for _, d := range s.disks.all() {
			if !d.rebuilt.Load() {
				return false
			}
		}
		return true
	})
	return s
}

// doc is an object as the tests know it.
type doc struct {
	url  []byte
	key  Key
	head []byte
	body []byte
	vary string
}

// docOf makes object n with a body of so many bytes.
func docOf(n, size int) *doc {
	d := &doc{url: fmt.Appendf(nil, "http://origin.example/%d", n), body: make([]byte, size)}
	d.head = fmt.Appendf(nil, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\nX-Number: %d\r\n\r\n", size, n)
	random := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	random.Read(d.body)
	parts := KeyParts{Method: http1.GET, URL: d.url}
	d.key = parts.Key()
	return d
}

func (d *doc) opening() Opening { return Opening{Key: d.key, Method: http1.GET, URL: d.url} }

// published is what Publish is told; length -1 for unknown.
func (d *doc) published(length int) *Head {
	return &Head{Key: d.key, Vary: []byte(d.vary), Bytes: d.head, Length: int64(length),
		Metadata: Metadata{Timestamp: 1_800_000_000, Expires: 1_900_000_000, LastMod: Unknown}}
}

// put stores an object in one go, without a client, and waits until it has settled.
func (s *Store) put(t testing.TB, d *doc) {
	t.Helper()
	e := s.Begin(d.opening(), &filler{}, nil)
	e.Publish(d.published(len(d.body)))
	e.Append(d.body)
	e.Complete()
	eventually(t, "the object has settled", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.settled
	})
}

// find looks an object up.
func (s *Store) find(d *doc, r *Reader) Found { return s.Lookup(time.Now(), d.key, d.url, r) }

// filler is a fetch that tells what the entry asks of it.
type filler struct {
	mu                  sync.Mutex
	fills, wakes, stops int
	fill                func() // what its own goroutine does
}

func (f *filler) Fill() {
	f.mu.Lock()
	f.fills++
	f.mu.Unlock()
	if f.fill != nil {
		f.fill()
	}
}

func (f *filler) Wake() { f.mu.Lock(); f.wakes++; f.mu.Unlock() }
func (f *filler) Stop() { f.mu.Lock(); f.stops++; f.mu.Unlock() }

func (f *filler) counts() (fills, wakes, stops int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fills, f.wakes, f.stops
}

// errMore: a reader was told to stop before the end.
var errMore = errors.New("enough was read")

// read reads up to most bytes of the body.
func (r *Reader) read(ctx context.Context, most int) ([]byte, error) {
	var got []byte
	for len(got) < most {
		span, err := r.Next(ctx, int64(most-len(got)))
		if err != nil {
			return got, err
		}
		if span.Length == 0 {
			return got, nil
		}
		before := len(got)
		if span.File {
			b := make([]byte, span.Length)
			if _, err := unix.Pread(span.FD, b, span.Offset); err != nil {
				return got, err
			}
			got = append(got, b...)
		}
		for _, piece := range span.Pieces {
			got = append(got, piece...)
		}
		if int64(len(got)-before) != span.Length {
			return got, io.ErrUnexpectedEOF
		}
		r.Advance(span.Length)
	}
	return got, errMore
}

// readAll reads all there is and compares.
func (r *Reader) readAll(t testing.TB, d *doc) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Load(ctx, d.url); err != nil {
		t.Errorf("%s: %v", d.url, err)
		return
	}
	if head, err := r.Head(); err != nil || !bytes.Equal(head, d.head) {
		t.Errorf("%s: head %q, %v", d.url, head, err)
	}
	got, err := r.read(ctx, len(d.body)+1)
	if err != nil || !bytes.Equal(got, d.body) {
		t.Errorf("%s: %d of %d bytes, %v, equal as far as they go: %v", d.url, len(got), len(d.body), err,
			bytes.HasPrefix(d.body, got))
	}
}

// objectFiles are the object files of a directory.
func objectFiles(t testing.TB, path string) []string {
	files, err := filepath.Glob(filepath.Join(path, "??", "??", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// filesIn counts them.
func filesIn(t testing.TB, path string) int { return len(objectFiles(t, path)) }
