package ufs

import (
	"fmt"
	"strings"
	"time"
)

// Report is what a rebuild found.
type Report struct {
	Path string
	// Clean: swap.state was believed; Scanned: it could not be read, because of
	// Why, and the files were read instead.
	Clean, Scanned bool
	Why            error
	// Records were read from swap.state. Entries were looked at: additions in swap.state and files it does not know.
	// Of these Loaded are in the index now. Invalid and BadFlags were none;
	// Cancelled had been deleted; Duplicates lost to another of their key, Clashes
	// to another of their number.
	Records, Entries, Invalid, BadFlags, Loaded, Cancelled, Duplicates, Clashes int
	// Missing entries had no file, Faults (DoubleCheck) none of their length.
	Missing, Faults int
	// Adopted files were whole although swap.state did not know them; Unfinished
	// ones, which are not or do not tell, were removed. Foreign ones (of a big-endian machine) and Misplaced ones
	// (by their names of no use in their folder) were left alone.
	Adopted, Unfinished, Foreign, Misplaced int
	Took                                    time.Duration
}

// Add sums up the reports of several directories, as the lines about the whole
// store have it.
func (r *Report) Add(o Report) {
	for _, sum := range []struct {
		to *int
		n  int
	}{
		{&r.Records, o.Records}, {&r.Entries, o.Entries}, {&r.Invalid, o.Invalid}, {&r.BadFlags, o.BadFlags}, {&r.Loaded, o.Loaded},
		{&r.Cancelled, o.Cancelled}, {&r.Duplicates, o.Duplicates}, {&r.Clashes, o.Clashes}, {&r.Missing, o.Missing},
		{&r.Faults, o.Faults}, {&r.Adopted, o.Adopted}, {&r.Unfinished, o.Unfinished}, {&r.Foreign, o.Foreign},
		{&r.Misplaced, o.Misplaced},
	} {
		*sum.to += sum.n
	}
	r.Took = max(r.Took, o.Took)
}

// BeginLine is 2.6's line at the beginning of a rebuild.
func (d *Dir) BeginLine() string {
	state := "DIRTY"
	if d.found.clean {
		state = "CLEAN"
	}
	return fmt.Sprintf("Rebuilding storage in %s (%s)", d.path, state)
}

// DirLines are the lines of cache.log when one directory is done: 2.6's, and one
// for each thing 2.6 does not know.
func (r *Report) DirLines() []string {
	lines := []string{fmt.Sprintf("Done reading %s swaplog (%d entries)", r.Path, r.Records)}
	if r.Scanned {
		lines[0] = fmt.Sprintf("Done scanning %s (%d entries)", r.Path, r.Entries)
		if r.Why != errNoLog {
			lines = append(lines, fmt.Sprintf("%s: swap.state: %v; the files were read instead", r.Path, r.Why))
		}
	}
	for _, more := range []struct {
		n    int
		text string
	}{
		{r.Missing, "entries without a file left out"},
		{r.Adopted, "whole files taken in that were not in swap.state"},
		{r.Unfinished, "files removed that are not whole, or do not tell"},
		{r.Foreign, "files of a machine of another kind left alone; empty the directory and run squid -z to be rid of them"},
		{r.Misplaced, "files that do not belong where they are left alone (were L1 and L2 of cache_dir changed?)"},
	} {
		if more.n > 0 {
			lines = append(lines, fmt.Sprintf("%s: %d %s", r.Path, more.n, more.text))
		}
	}
	return lines
}

// Lines are 2.6's lines when all directories are done.
func (r *Report) Lines() []string {
	seconds := r.Took.Seconds()
	rate := 0.0
	if seconds > 0 {
		rate = float64(r.Loaded) / seconds
	}
	return []string{
		"Finished rebuilding storage from disk.",
		fmt.Sprintf("  %7d Entries scanned", r.Entries),
		fmt.Sprintf("  %7d Invalid entries.", r.Invalid),
		fmt.Sprintf("  %7d With invalid flags.", r.BadFlags),
		fmt.Sprintf("  %7d Objects loaded.", r.Loaded),
		fmt.Sprintf("  %7d Objects expired.", 0),
		fmt.Sprintf("  %7d Objects cancelled.", r.Cancelled),
		fmt.Sprintf("  %7d Duplicate URLs purged.", r.Duplicates),
		fmt.Sprintf("  %7d Swapfile clashes avoided.", r.Clashes),
		fmt.Sprintf("  Took %3.1f seconds (%6.1f objects/sec).", seconds, rate),
	}
}

// SwapFault is an entry whose file is missing or of another length (squid -S).
type SwapFault struct {
	Number Number
	Path   string
	// EntrySize and FileSize are in octets, FileSize -1 for a missing file.
	EntrySize, FileSize int64
}

// Error is Lines in one.
func (f *SwapFault) Error() string { return strings.Join(f.Lines(), ", ") }

// Lines are 2.6's lines of cache.log about it.
func (f *SwapFault) Lines() []string {
	const who = "storeUfsCleanupDoubleCheck: "
	lines := []string{
		who + "MISSING SWAP FILE",
		fmt.Sprintf("%sFILENO %08X", who, int32(f.Number)),
		fmt.Sprintf("%sPATH %s", who, f.Path),
	}
	if f.FileSize >= 0 {
		lines[0] = who + "SIZE MISMATCH"
		lines = append(lines, fmt.Sprintf("%sENTRY SIZE: %d, FILE SIZE: %d", who, f.EntrySize, f.FileSize))
	}
	return lines
}
