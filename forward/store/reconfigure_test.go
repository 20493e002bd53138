package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// SIGHUP keeps the cache; changed cache_dir lines take effect.
func TestReconfigureKeepsWhatItCan(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory = 1000
	s := rebuilt(t, open(t, c))
	first := docOf(1, 100_000)
	s.put(t, first)
	second := ufsDir(t, 64<<20)
	c.Dirs = append(c.Dirs, second)
	c.Dirs[0].ReadOnly, c.Dirs[0].Policy = true, HeapGDSF
	c.MemoryPolicy = HeapLFUDA
	if err := s.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	rebuilt(t, s)
	other, small := docOf(2, 100_000), docOf(3, 1000)
	s.put(t, other)
	s.put(t, small)
	if st := s.Stats(); st.Dirs[0].Objects != 1 || st.Dirs[1].Objects != 2 || st.InMemory != 1 {
		t.Fatalf("%+v", st)
	}
	var r Reader
	for _, d := range []*doc{first, other, small} {
		if found := s.find(d, &r); found != Hit {
			t.Fatalf("%s: found %d", d.url, found)
		}
		r.readAll(t, d)
		r.Close()
	}
	c.Dirs = c.Dirs[1:]
	if err := s.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if found := s.find(first, &r); found != Miss {
		t.Errorf("found %d in a directory that is gone", found)
	}
	if found := s.find(other, &r); found != Hit {
		t.Fatalf("found %d in the directory that stays", found)
	}
	r.readAll(t, other)
	r.Close()
}

// A reconfigure says of each directory that stays what size it may have, as 2.6 does.
func TestReconfigureTellsSizes(t *testing.T) {
	c := withDisk(t)
	var told []string
	c.Report = func(n Notice) {
		for _, line := range n.Lines {
			if strings.HasPrefix(line, "Cache dir") {
				told = append(told, line) // by Reconfigure alone
			}
		}
	}
	s := rebuilt(t, open(t, c))
	path, before := c.Dirs[0].Path, c.Dirs[0].Size
	for _, size := range []int64{before, before / 2} {
		c.Dirs = slices.Clone(c.Dirs)
		c.Dirs[0].Size = size
		if err := s.Reconfigure(c); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{
		fmt.Sprintf("Cache dir '%s' size remains unchanged at %d KB", path, before>>10),
		fmt.Sprintf("Cache dir '%s' size changed to %d KB", path, before>>11),
	}; !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}

// A directory that cannot be opened is left out, and all else is in force; at the start it
// is the end.
func TestReconfigureWithAFaultyLine(t *testing.T) {
	c := withDisk(t)
	s := rebuilt(t, open(t, c))
	d := docOf(1, 500_000)
	s.put(t, d)
	fault := errors.New("no such folder")
	broken := c
	broken.Memory = 2 << 20
	broken.Dirs = []DirConfig{c.Dirs[0], {Path: "/broken", Open: func() (Directory, error) { return nil, fault }}}
	if err := s.Reconfigure(broken); !errors.Is(err, fault) {
		t.Fatal(err)
	}
	var r Reader
	if found := s.find(d, &r); found != Hit {
		t.Fatalf("found %d", found)
	}
	r.readAll(t, d)
	r.Close()
	if st := s.Stats(); len(st.Dirs) != 1 || st.MemoryLimit != 512 {
		t.Errorf("%+v", st)
	}
	if _, err := Open(Config{Dirs: append([]DirConfig{ufsDir(t, 1<<20)}, broken.Dirs[1:]...)}); !errors.Is(err, fault) {
		t.Error(err)
	}
	if _, err := Open(Config{Dirs: make([]DirConfig, 65)}); !errors.Is(err, ErrTooManyDirs) {
		t.Error(err)
	}
}
