package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// A directory that goes away under the store, by whatever is asked of it first, is reported
// once and taken out as a whole: its objects are not lost one by one. When it is back a
// reconfigure takes it, and them, into use again.
func TestADirectoryThatGoesAway(t *testing.T) {
	for name, ask := range map[string]func(t *testing.T, s *Store){
		"written": func(t *testing.T, s *Store) { s.put(t, docOf(100, 300_000)) },
		"read": func(t *testing.T, s *Store) {
			var r Reader
			d := docOf(0, 300_000)
			if found := s.find(d, &r); found != Hit {
				t.Fatalf("found %d", found)
			}
			if err := r.Load(t.Context(), d.url); !errors.Is(err, ErrSwapFail) {
				t.Errorf("loaded: %v", err)
			}
			r.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := withDisk(t)
			c.Memory = 1 << 20 // no object is kept there for want of a directory
			notices := make(chan Notice, 100)
			c.Report = func(n Notice) {
				if n.Err != nil {
					notices <- n
				}
			}
			s := rebuilt(t, open(t, c))
			for n := range 10 {
				s.put(t, docOf(n, 300_000)) // more than may be in memory
			}
			eventually(t, "all are written", func() bool { return s.Stats().Dirs[0].Objects == 10 })
			path := c.Dirs[0].Path
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
			ask(t, s)
			if n := <-notices; !errors.Is(n.Err, ufs.ErrGone) || !n.TakenOut || n.Path != path {
				t.Errorf("reported %+v", n)
			}
			for n := range 5 {
				s.put(t, docOf(200+n, 300_000))
			}
			eventually(t, "nothing is found", func() bool { return s.Stats().Objects == 0 })
			if len(notices) != 0 {
				t.Errorf("reported again: %+v", <-notices)
			}
			if err := os.Rename(path+".away", path); err != nil {
				t.Fatal(err)
			}
			if err := s.Reconfigure(c); err != nil {
				t.Fatal(err)
			}
			rebuilt(t, s)
			if got := s.Stats().Dirs[0].Objects; got != 10 {
				t.Errorf("%d objects are back", got)
			}
		})
	}
}

// A folder that has become a file costs its objects, not the directory.
func TestAFolderThatIsAFile(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory, c.Memory = 1000, 256<<10
	notices := make(chan Notice, 100)
	c.Report = func(n Notice) {
		if n.Err != nil {
			notices <- n
		}
	}
	s := rebuilt(t, open(t, c))
	d := docOf(0, 100_000)
	s.put(t, d)
	files := objectFiles(t, c.Dirs[0].Path)
	if len(files) != 1 {
		t.Fatalf("%q", files)
	}
	folder := filepath.Dir(files[0])
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var r Reader
	if found := s.find(d, &r); found != Hit {
		t.Fatalf("found %d", found)
	}
	if err := r.Load(t.Context(), d.url); !errors.Is(err, ErrSwapFail) {
		t.Errorf("loaded: %v", err)
	}
	r.Close()
	for n := range 5 {
		s.put(t, docOf(1+n, 100_000))
	}
	if n := <-notices; !errors.Is(n.Err, ufs.ErrFile) || n.TakenOut || len(notices) != 0 {
		t.Errorf("reported %+v, and %d more", n, len(notices))
	}
	if st := s.Stats(); st.Dirs[0].TakenOut {
		t.Error("taken out")
	}
}

// What goes wrong with single files is reported now and then.
func TestFaultsOfFilesAreReportedSeldom(t *testing.T) {
	c, f, notices := withFaulty(t)
	s := rebuilt(t, open(t, c))
	f.fail(errors.New("odd"), nil)
	for n := range 20 {
		s.put(t, docOf(n, 1000))
	}
	eventually(t, "all were tried", func() bool { return s.stats.diskErrors.Load() == 20 })
	if n := <-notices; n.TakenOut || len(notices) != 0 {
		t.Errorf("reported %+v, and %d more", n, len(notices))
	}
	f.fail(nil, nil)
}
