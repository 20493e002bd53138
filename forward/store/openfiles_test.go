package store

import (
	"errors"
	"os"
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
)

// keeping is a store that keeps files open: one of each shard.
func keeping(t *testing.T) Config {
	c := withDisk(t)
	c.MaxInMemory, c.KeptFiles = 1000, index.Shards
	return c
}

func TestFilesStayOpenForTheNextReader(t *testing.T) {
	c := keeping(t)
	s := rebuilt(t, open(t, c))
	const objects = 300 // some shards have several
	for n := range objects {
		s.put(t, docOf(n, 2000+n))
	}
	for range 3 {
		for n := range objects {
			d := docOf(n, 2000+n)
			var r, beside Reader
			if s.find(d, &r) != Hit || s.find(d, &beside) != Hit {
				t.Fatalf("object %d is not there", n)
			}
			r.readAll(t, d)
			beside.readAll(t, d)
			r.Close()
			beside.Close()
		}
	}
	if st := s.Stats(); st.KeptFiles == 0 || st.KeptFiles > index.Shards || st.OpenFiles != 0 {
		t.Errorf("%d files are kept, %d open", st.KeptFiles, st.OpenFiles)
	}
	for n := range objects {
		s.Purge(docOf(n, 0).key)
	}
	eventually(t, "files of what has gone are closed", func() bool {
		return s.Stats().KeptFiles == 0 && filesIn(t, c.Dirs[0].Path) == 0
	})
}

// A file that is kept open and cut meanwhile is a miss, as when it is opened.
func TestAKeptFileIsLookedAtAgain(t *testing.T) {
	c := keeping(t)
	s := rebuilt(t, open(t, c))
	d := docOf(1, 100_000)
	s.put(t, d)
	var r Reader
	s.find(d, &r)
	r.readAll(t, d)
	r.Close()
	if err := os.Truncate(objectFiles(t, c.Dirs[0].Path)[0], 50_000); err != nil {
		t.Fatal(err)
	}
	s.find(d, &r)
	if err := r.Load(t.Context(), d.url); !errors.Is(err, ErrSwapFail) {
		t.Error(err)
	}
	r.Close()
	if found := s.find(d, &r); found != Miss {
		t.Errorf("found %d", found)
	}
	eventually(t, "the file is closed", func() bool { return s.Stats().KeptFiles == 0 })
}

// Readers, purges and new objects under the same keys: everybody reads what was
// stored, whoever's file it is.
func TestKeptFilesUnderLoad(t *testing.T) {
	c := keeping(t)
	s := rebuilt(t, open(t, c))
	var all sync.WaitGroup
	for worker := range 6 {
		all.Go(func() {
			for i := range 100 {
				d := docOf((i+worker*17)%20, 5000+(i+worker*17)%20)
				var r Reader
				if found := s.find(d, &r); found == Miss {
					s.put(t, d)
				} else {
					r.readAll(t, d)
					r.Close()
				}
				if i%7 == worker {
					s.Purge(d.key)
				}
			}
		})
	}
	all.Wait()
}
