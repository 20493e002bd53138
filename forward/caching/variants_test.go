package caching

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// slow is a cache_dir nothing of which is in the page cache, and which answers when it is
// let.
type slow struct {
	store.Directory
	let chan struct{}
}

func (s slow) OpenObject(n ufs.Number, want *ufs.Want, buf []byte, cached bool) (*ufs.Object, error) {
	if cached {
		return nil, ufs.ErrNotCached
	}
	<-s.let
	return s.Directory.OpenObject(n, want, buf, false)
}

// A list of variants that cannot be read now is not taken for none: it would be
// overwritten. One that is gone or damaged is.
func TestAListThatCannotBeReadNow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	if err := errors.Join(os.Mkdir(path, 0o755), ufs.MakeFolders(path, 1, 1, func(p string) error { return os.Mkdir(p, 0o755) })); err != nil {
		t.Fatal(err)
	}
	let := make(chan struct{})
	s, err := store.Open(store.Config{Memory: 1 << 20, Workers: 1, SwapLow: 90, SwapHigh: 95, Dirs: []store.DirConfig{{Path: path, Size: 1 << 20, MaxSize: -1,
		Open: func() (store.Directory, error) {
			d, err := ufs.Open(ufs.Options{Path: path, L1: 1, L2: 1})
			return slow{d, let}, err
		}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	<-s.Rebuilt()
	url := []byte("http://o.test/")
	parts := store.KeyParts{Method: http1.GET, URL: url}
	want := []freshness.Variant{{Key: [16]byte{7}, Data: []string{"accept=\"a\""}}}
	body := freshness.AppendVariants(nil, want)
	s.Put(&store.Opening{Key: parts.Key(), Method: http1.GET, URL: url}, &store.Head{Key: parts.Key(), Length: int64(len(body)), Internal: true,
		Bytes: []byte("HTTP/1.0 200 OK\r\nContent-Type: " + freshness.VariantsType + "\r\nVary: accept\r\n\r\n")}, body)
	for end := time.Now().Add(30 * time.Second); s.Stats().InMemory > 0 || s.Stats().Objects == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", s.Stats())
		}
	}
	c, p, now := &Cache{Store: s}, &Policy{Policy: &fetch.Policy{Rules: &freshness.Rules{}}}, time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if list, _, err := c.variantsOf(ctx, p, parts.Key(), url, now); err == nil {
		t.Errorf("%v, though nobody waited for the disk", list)
	}
	close(let)
	list, _, err := c.variantsOf(t.Context(), p, parts.Key(), url, now)
	if err != nil || len(list) != 1 || list[0].Key != want[0].Key {
		t.Errorf("%v, %v", list, err)
	}
	files, err := filepath.Glob(filepath.Join(path, "00", "00", "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[0], 100); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if list, _, err := c.variantsOf(t.Context(), p, parts.Key(), url, now); err != nil || list != nil {
			t.Errorf("of a damaged one: %v, %v", list, err)
		}
	}
}
