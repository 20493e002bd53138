package ufs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A folder that has gone missing is made again; a directory that has gone is no place to
// make folders in.
func TestMissingFolders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	if err := errors.Join(os.Mkdir(path, 0o755), MakeFolders(path, 2, 2, func(p string) error { return os.Mkdir(p, 0o755) })); err != nil {
		t.Fatal(err)
	}
	d, err := Open(Options{Path: path, L1: 2, L2: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, c := range []struct {
		missing string
		number  Number
		want    error
	}{
		{"00/01", 2, nil}, {"01", 4, nil}, {"00", 0, ErrGone}, {"", 0, ErrGone},
	} {
		aside := path + ".aside"
		whole := filepath.Join(path, c.missing)
		if err := os.Rename(whole, aside); err != nil {
			t.Fatal(err)
		}
		file, _, err := d.Create(c.number, &Meta{})
		if !errors.Is(err, c.want) {
			t.Errorf("without %q: %v", c.missing, err)
		}
		if err == nil {
			file.Close()
		}
		_, err = d.OpenObject(1, &Want{}, make([]byte, 8<<10), false)
		if errors.Is(err, os.ErrNotExist) != (c.want == nil) || errors.Is(err, ErrGone) != (c.want != nil) {
			t.Errorf("without %q: reading: %v", c.missing, err)
		}
		if err := errors.Join(os.RemoveAll(whole), os.Rename(aside, whole)); err != nil {
			t.Fatal(err)
		}
	}
}
