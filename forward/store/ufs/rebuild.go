package ufs

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// Verdict is what the index made of a Record.
type Verdict int

// The verdicts of Sink.Load.
const (
	// Loaded: it is in the index.
	Loaded Verdict = iota
	// Replaced: it is, in place of an older one of its key, which the index has
	// told to Delete and will Unlink.
	Replaced
	// Older: the index keeps another of its key. Its file goes.
	Older
	// Unwanted: it is not wanted. Its file goes.
	Unwanted
)

// Sink takes what Rebuild finds.
type Sink struct {
	// Load is given each Record, the least recently used first where that is known.
	Load func(*Record) Verdict
	// Report, if not nil, is told what was wrong with single files.
	Report func(error)
	// Progress, if not nil, is told now and then how much of the work is done.
	Progress func(done, total int64)
	// DoubleCheck looks for each file and its length (squid -S).
	DoubleCheck bool
}

// errRebuilt: Rebuild works once.
var errRebuilt = errors.New("the index was rebuilt already")

// Rebuild gives the caller everything the directory holds: by swap.state after a
// clean end, by swap.state and a look at the folders after another, and by reading
// the files where there is no swap.state of 2.6. Files that hold no object are
// removed. It works while the directory is used; Allocate begins to work as soon as
// the numbers in use are known. It is called once; an error ends it early, and
// then the next start begins anew.
func (d *Dir) Rebuild(ctx context.Context, sink Sink) (Report, error) {
	if d.started.Swap(true) {
		return Report{}, errRebuilt
	}
	r := &rebuild{Dir: d, ctx: ctx, sink: sink, began: time.Now()}
	r.report = Report{Path: d.path, Clean: d.found.clean, Scanned: !d.found.usable(), Why: d.found.why}
	err := r.run()
	r.report.Took = time.Since(r.began)
	return r.report, err
}

// rebuild is one run of Rebuild.
type rebuild struct {
	*Dir
	ctx    context.Context
	sink   Sink
	report Report
	began  time.Time
	log    io.ReaderAt // swap.state
	last   places      // of each number's last addition
	files  bitmap      // the files there are, unless the log is clean
	buf    []byte
}

func (r *rebuild) run() error {
	if r.found.usable() {
		log, err := os.Open(r.state)
		if err != nil {
			return err
		}
		defer log.Close()
		r.log = log
		if err := r.readNumbers(); err != nil {
			return err
		}
	}
	trusted := r.found.clean && r.report.Invalid == 0
	if !trusted {
		if err := r.listFolders(); err != nil {
			return err
		}
	}
	r.numbered.Store(true)
	if r.found.usable() {
		if err := r.load(!trusted); err != nil {
			return err
		}
	}
	if !trusted {
		if err := r.adopt(); err != nil {
			return err
		}
	}
	if err := r.installLog(); err != nil {
		return err
	}
	r.rebuilt.Store(true)
	return nil
}

// entry gives one record to the index and does away with the file it does not want.
func (r *rebuild) entry(rec *Record) (kept bool) {
	verdict := Unwanted
	if rec.Flags&FlagPrivate != 0 {
		r.report.BadFlags++
	} else {
		verdict = r.sink.Load(rec)
	}
	switch verdict {
	case Loaded:
		r.report.Loaded++
		return true
	case Replaced:
		r.report.Loaded++
		r.report.Duplicates++
		return true
	case Older:
		r.report.Duplicates++
	}
	r.discard(rec)
	return false
}

// discard removes the file of a record that is in no index.
func (r *rebuild) discard(rec *Record) {
	err := r.Delete(rec)
	if err == nil {
		err = r.Unlink(rec.Number)
	}
	if err != nil {
		r.problem(err)
	}
}

func (r *rebuild) problem(err error) {
	if r.sink.Report != nil {
		r.sink.Report(err)
	}
}

// progress tells how far it is and whether to go on.
func (r *rebuild) progress(done, total int64) error {
	if r.sink.Progress != nil {
		r.sink.Progress(done, total)
	}
	return r.ctx.Err()
}

// bitmap is a set of numbers.
type bitmap []uint64

func (b *bitmap) add(n Number) {
	for int(n)/64 >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

func (b bitmap) has(n Number) bool {
	return int(n)/64 < len(b) && b[n/64]&(1<<(n%64)) != 0
}
