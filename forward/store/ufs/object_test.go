package ufs

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// TestOpenChecks: a file is opened only as the object it is.
func TestOpenChecks(t *testing.T) {
	_, d, _ := filled(t, 0)
	o := &object{url: "http://a/", version: 5, size: 5000}
	rec := mustStore(t, d, o)
	right := Want{Key: rec.Key, Size: rec.Size, Timestamp: rec.Timestamp, URL: []byte(o.url)}
	for name, c := range map[string]struct {
		spoil func(w *Want)
		file  func(path string) error
	}{
		"another key":       {spoil: func(w *Want) { w.Key[3]++ }},
		"another URL":       {spoil: func(w *Want) { w.URL = []byte("http://b/") }},
		"longer":            {spoil: func(w *Want) { w.Size-- }},
		"older entry":       {spoil: func(w *Want) { w.Timestamp-- }},
		"cut":               {file: func(path string) error { return os.Truncate(path, 4000) }},
		"cut in the header": {file: func(path string) error { return os.Truncate(path, 50) }},
		"empty":             {file: func(path string) error { return os.Truncate(path, 0) }},
		"a folder":          {file: func(path string) error { os.Remove(path); return os.Mkdir(path, 0o755) }},
		"a symbolic link":   {file: func(path string) error { os.Remove(path); return os.Symlink("/etc/passwd", path) }},
		"noise":             {file: func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("x", int(rec.Size))), 0o644) }},
	} {
		path := d.layout.file(rec.Number)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := right
		if c.spoil != nil {
			c.spoil(&want)
		} else if err := c.file(path); err != nil {
			t.Fatal(err)
		}
		if name == "cut" { // its index tells the same: then the swap header does not
			want.Size = 4000
		}
		if got, err := d.OpenObject(rec.Number, &want, make([]byte, 4096), false); err == nil {
			t.Errorf("%s: opened as %+v", name, got)
		} else if !errors.Is(err, ErrMismatch) && name != "a symbolic link" {
			t.Errorf("%s: %v", name, err)
		}
		os.Remove(path)
		if err := os.WriteFile(path, good, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := d.OpenObject(rec.Number, &right, make([]byte, 4096), false); err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
	}
	if _, err := d.OpenObject(rec.Number+1, &right, make([]byte, 4096), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestLongURL: a swap header longer than the buffer is read all the same.
func TestLongURL(t *testing.T) {
	_, d, _ := filled(t, 0)
	o := &object{url: "http://a/" + strings.Repeat("long/", 3000), size: 10}
	rec := mustStore(t, d, o)
	got, err := d.OpenObject(rec.Number, &Want{Key: rec.Key, Size: rec.Size, Timestamp: rec.Timestamp, URL: []byte(o.url)}, make([]byte, 100), false)
	if err != nil || got.HeadOffset+int64(len(o.reply())) != got.Size {
		t.Fatalf("%+v, %v", got, err)
	}
	got.File.Close()
}

// TestCached: with cached a file is opened from the page cache or not at all.
func TestCached(t *testing.T) {
	_, d, _ := filled(t, 0)
	rec := mustStore(t, d, &object{url: "http://a/", size: 5000})
	want := Want{Key: rec.Key, Size: rec.Size, Timestamp: rec.Timestamp}
	got, err := d.OpenObject(rec.Number, &want, make([]byte, 4096), true)
	if errors.Is(err, ErrNotCached) {
		t.Skip("this kernel or file system opens nothing without the disk")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer got.File.Close()
	if len(got.First) == 0 || string(got.URL) != "http://a/" {
		t.Errorf("got %+v", got)
	}
}

// TestReaderKeepsItsFile: who reads an object goes on when its number has another.
func TestReaderKeepsItsFile(t *testing.T) {
	_, d, _ := filled(t, 0)
	old := &object{url: "http://a/old", size: 5000}
	rec := mustStore(t, d, old)
	reader, err := d.OpenObject(rec.Number, &Want{Key: rec.Key, Size: rec.Size, Timestamp: rec.Timestamp}, make([]byte, 4096), false)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.File.Close()
	d.Delete(rec)
	if err := d.Unlink(rec.Number); err != nil {
		t.Fatal(err)
	}
	if young := mustStore(t, d, &object{url: "http://a/young", size: 5000}); young.Number != rec.Number {
		t.Fatalf("number %d, not %d", young.Number, rec.Number)
	}
	b := make([]byte, reader.Size-reader.HeadOffset)
	if _, err := reader.File.ReadAt(b, reader.HeadOffset); err != nil || string(b) != string(old.reply()) {
		t.Errorf("%v, and not what was stored", err)
	}
}

// TestCreateReplaces: a file nobody knows is replaced, not written over.
func TestCreateReplaces(t *testing.T) {
	_, d, _ := filled(t, 0)
	path := d.layout.file(0)
	if err := os.WriteFile(path, []byte(strings.Repeat("old", 5000)), 0o644); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	rec := mustStore(t, d, &object{url: "http://a/", size: 10})
	checkObject(t, d, rec)
	if info, err := reader.Stat(); err != nil || info.Size() != 15000 {
		t.Errorf("the old file has changed: %v, %v", info.Size(), err)
	}
}

// TestVerify: a start looks for the folders of the first level, and says what 2.6 says.
func TestVerify(t *testing.T) {
	o := newDir(t)
	missing, file := o.Path+"/01", o.Path+"/00"
	os.RemoveAll(missing)
	if _, err := Open(o); !errors.Is(err, ErrFolders) || err.Error() != missing+": (2) No such file or directory" {
		t.Errorf("%v", err)
	}
	os.RemoveAll(file)
	os.WriteFile(file, nil, 0o644)
	if _, err := Open(o); !errors.Is(err, ErrFolders) || err.Error() != file+" is not a directory" {
		t.Errorf("%v", err)
	}
	if _, err := Open(Options{Path: o.Path}); err == nil {
		t.Error("opened without folders")
	}
}
