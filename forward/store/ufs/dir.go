package ufs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Options say where a directory is and how it is used.
type Options struct {
	// Path, L1 and L2 are cache_dir's.
	Path   string
	L1, L2 int
	// SwapState is the path of swap.state (SwapStatePath); Path/swap.state when empty.
	SwapState string
	// ReadOnly: nothing at all is written.
	ReadOnly bool
}

// Dir is a directory in use. It belongs to one process.
type Dir struct {
	layout
	readOnly bool
	state    string // path of swap.state
	found    foundLog
	numbers  numbers
	journal  journal
	started  atomic.Bool // Rebuild was called
	numbered atomic.Bool // the numbers in use are known
	rebuilt  atomic.Bool // the caller's index is complete
	anew     sync.Mutex  // held while swap.state is written anew
}

// ErrForeign: a machine of another kind wrote the directory, and its files mean
// nothing here. It is left as it is.
var ErrForeign = errors.New("written by a machine of another kind; empty it and run squid -z, or take its cache_dir line out")

// ErrGone: the directory in use is not there any more, or another one is in its place.
var ErrGone = errors.New("the directory is gone")

// ErrFile: a file, or the folder it belongs in, cannot be used; the directory can.
var ErrFile = errors.New("of this file only")

// concerns says with an error about a file whether the directory is concerned as a whole.
// A start would not do without the folder that is looked for.
func (d *Dir) concerns(err error) error {
	denied := errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)
	if !denied && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	info, whole := os.Stat(d.firstFolder(0))
	switch {
	case errors.Is(whole, fs.ErrPermission):
		return err
	case whole != nil || !info.IsDir():
		return fmt.Errorf("%s: %w", d.path, ErrGone)
	case denied:
		return fmt.Errorf("%w (%w)", err, ErrFile)
	}
	return err
}

// Open takes a directory into use: it looks for its folders and for swap.state,
// whose records Rebuild reads. From here on the directory counts as not closed.
// The errors are those a start of 2.6 ends with (a folder is missing, swap.state
// cannot be opened), and ErrForeign.
func Open(o Options) (*Dir, error) {
	if o.L1 < 1 || o.L2 < 1 {
		return nil, fmt.Errorf("cache_dir %s: %d and %d folders", o.Path, o.L1, o.L2)
	}
	d := &Dir{layout: layout{o.Path, o.L1, o.L2}, readOnly: o.ReadOnly, state: o.SwapState}
	if d.state == "" {
		d.state = SwapStatePath("", d.path, 0)
	}
	if err := d.verify(); err != nil {
		return nil, err
	}
	var err error
	if d.found, err = findLog(d.state); err != nil {
		return nil, err
	}
	if d.readOnly {
		return d, nil
	}
	step()
	if err := os.Remove(d.state + cleanSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	file, size := (*os.File)(nil), d.found.end
	if d.found.usable() {
		file, err = openLog(d.state, size)
	} else {
		file, err = newLog(d.state + newSuffix)
		size = recordSize
	}
	if err != nil {
		return nil, err
	}
	d.journal.file, d.journal.size = file, size
	return d, nil
}

// step is called before each change of the disk. Tests look there at what a kill
// would leave.
var step = func() {}

// Rebuilt reports whether Rebuild has gone through everything.
func (d *Dir) Rebuilt() bool { return d.rebuilt.Load() }

// Close ends the use of the directory. What Add and Delete told is in swap.state
// then; only after Rewrite with clean does the next start believe it unseen.
func (d *Dir) Close() error { return d.journal.close() }
