package store

import (
	"fmt"
	"iter"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// Rotate writes the journals of the directories anew (squid -k rotate).
func (s *Store) Rotate() {
	s.writeCleanLogs(func(d *disk, records iter.Seq[*ufs.Record]) {
		if err := d.dir.Rewrite(records, false); err != nil {
			s.diskError(d, err)
		}
	})
}

// writeCleanLogs has each directory written anew by write, and says so in
// cache.log as 2.6 does. While one is being rebuilt none is.
func (s *Store) writeCleanLogs(write func(d *disk, records iter.Seq[*ufs.Record])) {
	all := s.disks.all()
	if len(all) == 0 {
		return
	}
	for _, d := range all {
		if !d.rebuilt.Load() && !d.failed.Load() {
			s.tell(Notice{Lines: []string{"Not currently OK to rewrite swap log.", "storeDirWriteCleanLogs: Operation aborted."}})
			return
		}
	}
	s.tell(Notice{Lines: []string{"storeDirWriteCleanLogs: Starting..."}})
	began, n := time.Now(), 0
	for _, d := range all {
		if d.failed.Load() {
			continue
		}
		write(d, func(yield func(*ufs.Record) bool) {
			for r := range s.records(d) {
				if n++; !yield(r) {
					return
				}
			}
		})
	}
	took := time.Since(began).Seconds()
	s.tell(Notice{Lines: []string{fmt.Sprintf("  Finished.  Wrote %d entries.", n),
		fmt.Sprintf("  Took %3.1f seconds (%6.1f entries/sec).", took, float64(n)/max(took, 1e-9))}})
}

func (s *Store) rewrite(d *disk, clean bool) {
	if err := d.dir.Rewrite(s.records(d), clean); err != nil {
		s.diskError(d, err)
	}
}
