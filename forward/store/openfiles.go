package store

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
)

// openFile is the file of an object that is being read, or kept open for the next
// reader.
type openFile struct {
	d    *disk
	s    *Store
	file *os.File
	fd   int
	size int64
	body int64 // where the body begins
	head []byte
	// vary, url and storeURL are what the swap header says.
	vary, url, storeURL []byte

	// Guarded by the shard of the object. A file that has readers counts as open:
	// those that are kept for the next one cost a descriptor and nothing else.
	shard   *index.Shard
	id      index.ID
	readers int
	kept    bool
	used    time.Time
}

// keptFiles are files of a shard that stay open, since opening one costs more than
// all else about a hit on disk: at most so many, those used last.
type keptFiles struct{ list []*openFile }

// find gives the kept file of an object one more reader, with the shard locked.
func (k *keptFiles) find(id index.ID, now time.Time) *openFile {
	for _, f := range k.list {
		if f.id == id {
			if f.readers++; f.readers == 1 {
				f.d.opened(f.s)
			}
			f.used = now
			return f
		}
	}
	return nil
}

// keep has a file, which has a reader, stay open. It gives one that must be closed
// for that, nil for none.
func (k *keptFiles) keep(f *openFile, most int, now time.Time) (out *openFile) {
	if most <= 0 {
		return nil
	}
	oldest := -1
	for i, other := range k.list {
		if other.id == f.id {
			return nil // another reader was quicker
		}
		if oldest < 0 || other.used.Before(k.list[oldest].used) {
			oldest = i
		}
	}
	f.kept, f.used = true, now
	if len(k.list) < most {
		k.list = append(k.list, f)
		return nil
	}
	out, k.list[oldest] = k.list[oldest], f
	return out.dismiss()
}

// drop ends the keeping of an object's file. It gives it when it must be closed.
func (k *keptFiles) drop(id index.ID) *openFile {
	for i, f := range k.list {
		if f.id == id {
			k.list = append(k.list[:i], k.list[i+1:]...)
			return f.dismiss()
		}
	}
	return nil
}

// dismiss: the last reader closes the file; f is given when there is none.
func (f *openFile) dismiss() *openFile {
	f.kept = false
	if f.readers > 0 {
		return nil
	}
	return f
}

// close takes a reader from the file.
func (f *openFile) close() {
	f.shard.Lock()
	f.readers--
	if f.readers == 0 {
		f.d.closed(f.s)
	}
	last := f.readers == 0 && !f.kept
	f.shard.Unlock()
	if last {
		f.shut()
	}
}

// shut closes it. Nothing is locked: the end of a file that was unlinked may take
// its time.
func (f *openFile) shut() {
	if f != nil {
		f.file.Close()
	}
}

// sound reports whether the file is still as long as it was when it was opened.
func (f *openFile) sound() bool {
	var st unix.Stat_t
	return unix.Fstat(f.fd, &st) == nil && st.Size == f.size
}

// shutKept closes the files of a directory that are kept open, of all for nil.
func (s *Store) shutKept(d *disk) {
	for i := range s.kept {
		sh := s.ix.At(i)
		var out []*openFile
		sh.Lock()
		k := &s.kept[i]
		for j := len(k.list) - 1; j >= 0; j-- {
			if f := k.list[j]; d == nil || f.d == d {
				k.list = append(k.list[:j], k.list[j+1:]...)
				out = append(out, f.dismiss())
			}
		}
		sh.Unlock()
		for _, f := range out {
			f.shut()
		}
	}
}
