package store

import (
	"os"
	"sync"
	"testing"
	"time"
)

// Over-subscribed ten times, the files of a directory never take more than 1.10 of
// its size, and those used last are there.
func TestADirectoryStaysWithinItsSize(t *testing.T) {
	for _, policy := range []Policy{LRU, HeapGDSF, HeapLFUDA} {
		c := withDisk(t)
		const size = 4 << 20
		c.Dirs[0].Size, c.Dirs[0].Policy = size, policy // ten times as much comes
		c.Memory, c.MaxInMemory = 1<<20, 8<<10
		s := rebuilt(t, open(t, c))
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				for n := worker; n < 600; n += 4 {
					s.put(t, docOf(n, 66_000+n))
				}
			})
		}
		most := int64(0)
		ended := make(chan struct{})
		go func() { all.Wait(); close(ended) }()
		for over := false; !over; {
			select {
			case <-ended:
				over = true
			default:
			}
			sum := int64(0)
			for _, path := range objectFiles(t, c.Dirs[0].Path) {
				if info, err := os.Stat(path); err == nil {
					sum += info.Size()
				}
			}
			most = max(most, sum)
			time.Sleep(time.Millisecond) // the processor is for those who write
		}
		if most > size*110/100 {
			t.Errorf("policy %d: %d bytes in files at times, of %d", policy, most, size)
		}
		eventually(t, "it is below the high mark", func() bool { return s.Stats().Dirs[0].Size <= size/100*95 })
		st := s.Stats()
		if st.DiskEvictions == 0 || st.Dirs[0].Objects < 30 || int64(filesIn(t, c.Dirs[0].Path)) < st.Dirs[0].Objects {
			t.Errorf("policy %d: %+v", policy, st)
		}
	}
}

// Without max_open_disk_fds to spare objects are kept in memory alone.
func TestMaxOpenFiles(t *testing.T) {
	c := withDisk(t)
	c.MaxOpenFiles = 1
	s := rebuilt(t, open(t, c))
	large := docOf(1, 500_000)
	s.put(t, large)
	var r Reader
	s.find(large, &r)
	if err := r.Load(t.Context(), large.url); err != nil {
		t.Fatal(err)
	}
	small := docOf(2, 1000)
	s.put(t, small)
	r.readAll(t, large)
	r.Close()
	if st := s.Stats(); st.TooManyFiles != 1 || st.Dirs[0].Objects != 1 || st.Objects != 2 {
		t.Errorf("%+v", st)
	}
}
