package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// rebuilds are the directories whose contents are not all in the index yet.
type rebuilds struct {
	mu    sync.Mutex
	under int           // way
	total ufs.Report    // of those that have ended since nothing was under way
	told  time.Time     // when cache.log was last told how far it is
	first chan struct{} // closed when those of the first configuration have ended
	once  sync.Once
}

// begin counts directories whose rebuild will begin now.
func (r *rebuilds) begin(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.under == 0 {
		r.total, r.told = ufs.Report{}, time.Now()
	}
	if r.under += n; r.under == 0 {
		r.once.Do(func() { close(r.first) })
	}
}

// end takes a directory's report, nil for one that was not rebuilt to its end. When
// no other is under way it gives the sum of them.
func (r *rebuilds) end(report *ufs.Report) (total *ufs.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if report != nil {
		r.total.Add(*report)
	}
	if r.under--; r.under > 0 {
		return nil
	}
	r.once.Do(func() { close(r.first) })
	sum := r.total
	return &sum
}

// tellEvery is how often cache.log is told how far a rebuild is.
const tellEvery = 15 * time.Second

// due reports whether it is time for that.
func (r *rebuilds) due() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.told) < tellEvery {
		return false
	}
	r.told = time.Now()
	return true
}

// Rebuilding reports whether a directory is being rebuilt.
func (s *Store) Rebuilding() bool {
	s.rebuilds.mu.Lock()
	defer s.rebuilds.mu.Unlock()
	return s.rebuilds.under > 0
}

// Rebuilt is closed when everything that lay in the directories of the first
// configuration is in the index, or cannot be read.
func (s *Store) Rebuilt() <-chan struct{} { return s.rebuilds.first }

// rebuild fills the index with what a directory holds.
func (s *Store) rebuild(ctx context.Context, d *disk, doubleCheck bool) {
	path := d.config.Load().Path
	report, err := d.dir.Rebuild(ctx, ufs.Sink{
		Load:     func(r *ufs.Record) ufs.Verdict { return s.loadRecord(d, r) },
		Report:   func(err error) { s.rebuildFault(d, err) },
		Progress: func(done, total int64) { s.rebuildProgress(d, done, total) }, DoubleCheck: doubleCheck})
	if ctx.Err() != nil {
		s.rebuilds.end(nil)
		return
	}
	for i := range index.Shards {
		sh := s.ix.At(i)
		sh.Lock()
		d.order.Load().Sort(sh)
		sh.Unlock()
	}
	d.rebuilt.Store(true)
	if err != nil {
		s.diskError(d, err)
	}
	found, _ := s.ix.Len()
	n := Notice{Path: path, Rebuilt: &report, Entries: int64(found), Err: err, Lines: report.DirLines()}
	for _, d := range s.disks.all() {
		n.Size += d.size.Load()
	}
	if total := s.rebuilds.end(&report); total != nil {
		n.Lines = append(n.Lines, total.Lines()...)
		n.Lines = append(n.Lines, "Beginning Validation Procedure", "  Completed Validation Procedure",
			fmt.Sprintf("  Validated %d Entries", n.Entries), fmt.Sprintf("  store_swap_size = %dk", n.Size>>10))
	}
	s.tell(n)
}

// rebuildFault deals with what was wrong with single files.
func (s *Store) rebuildFault(d *disk, err error) {
	var fault *ufs.SwapFault
	if errors.As(err, &fault) {
		s.tell(Notice{Path: d.config.Load().Path, Lines: fault.Lines()})
		return
	}
	s.diskError(d, err)
}

// rebuildProgress tells now and then how far all rebuilds together are.
func (s *Store) rebuildProgress(d *disk, done, total int64) {
	d.done.Store(done)
	d.total.Store(total)
	if !s.rebuilds.due() {
		return
	}
	done, total = 0, 0
	for _, d := range s.disks.all() {
		done, total = done+d.done.Load(), total+d.total.Load()
	}
	s.tell(Notice{Path: d.config.Load().Path, Lines: []string{fmt.Sprintf("Store rebuilding is %4.1f%% complete", 100*float64(done)/float64(max(total, 1)))}})
}

// loadRecord enters what a directory says it has.
func (s *Store) loadRecord(d *disk, r *ufs.Record) ufs.Verdict {
	key := Key(r.Key)
	sh := s.ix.Shard((*[16]byte)(&key))
	sh.Lock()
	var gone Line
	defer func() {
		sh.Unlock()
		waitFor(gone)
	}()
	if s.live[sh.Number()][key] != nil {
		return ufs.Older // what is on its way is newer
	}
	verdict := ufs.Loaded
	if id, old := sh.Find((*[16]byte)(&key)); old != nil {
		if slot, number, ok := old.OnDisk(); ok && slot == d.slot && ufs.Number(number) == r.Number {
			return ufs.Loaded // it is that one
		}
		if old.Memory != 0 || int64(old.Timestamp) >= r.Timestamp {
			return ufs.Older
		}
		gone = s.remove(sh, id, old, true)
		verdict = ufs.Replaced
	}
	id, rec := sh.Insert((*[16]byte)(&key))
	if rec == nil {
		return ufs.Unwanted
	}
	setMetadata(rec, &Metadata{Timestamp: TimeOf(r.Timestamp), LastRef: TimeOf(r.LastRef), Expires: TimeOf(r.Expires),
		LastMod: TimeOf(r.LastMod), Refs: r.RefCount, Flags: Flags(r.Flags)})
	rec.SetSize(r.Size)
	rec.SetDisk(d.slot, uint32(r.Number))
	d.order.Load().Add(sh, id, s.now())
	d.size.Add(blocks(r.Size))
	d.objects.Add(1)
	return verdict
}
