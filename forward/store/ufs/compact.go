package ufs

import (
	"bufio"
	"io"
	"iter"
	"os"
)

// bloat is how many records more than entries swap.state may have at least, before
// writing it anew is worth while.
const bloat = 10000

// Bloated reports whether swap.state has grown to a multiple of what an index of
// so many entries needs, so that Rewrite should be called.
func (d *Dir) Bloated(entries int) bool {
	return d.rebuilt.Load() && d.journal.length()/recordSize > 2*int64(entries)+bloat
}

// installLog puts the log that Rebuild has filled in the place of one that could
// not be replayed.
func (d *Dir) installLog() error {
	if d.readOnly || d.found.usable() {
		return nil
	}
	d.journal.writing.Lock()
	defer d.journal.writing.Unlock()
	if err := d.journal.write(); err != nil {
		return err
	}
	step()
	return os.Rename(d.state+newSuffix, d.state)
}

// Rewrite replaces swap.state by one that has just the records given, which are the
// caller's whole index as it is when they are asked for, not before, and what Add
// and Delete note meanwhile. With clean nothing
// will be noted any more, and the next start will believe it unseen. Before Rebuild
// has ended the index is not whole: then swap.state stays as it is.
func (d *Dir) Rewrite(records iter.Seq[*Record], clean bool) error {
	if d.readOnly {
		return nil
	}
	if !d.rebuilt.Load() {
		return d.Flush()
	}
	if err := d.rewrite(records); err != nil {
		return err
	}
	if !clean {
		return nil
	}
	step()
	mark, err := os.Create(d.state + cleanSuffix)
	if err != nil {
		return err
	}
	return mark.Close()
}

func (d *Dir) rewrite(records iter.Seq[*Record]) error {
	d.anew.Lock()
	defer d.anew.Unlock()
	if err := d.Flush(); err != nil {
		return err
	}
	from := d.journal.length() // what comes after is copied behind the records
	file, err := newLog(d.state + newSuffix)
	if err != nil {
		return err
	}
	size, err := writeRecords(file, records)
	if err == nil {
		err = d.journal.replace(file, size, from, d.state)
	}
	if err != nil {
		file.Close()
		os.Remove(d.state + newSuffix)
	}
	return err
}

// writeRecords appends records to a log that has its header.
func writeRecords(file *os.File, records iter.Seq[*Record]) (size int64, err error) {
	out := bufio.NewWriterSize(file, journalBuffer)
	var line []byte
	size = recordSize
	for rec := range records {
		line = rec.append(line[:0], opAdd)
		if _, err := out.Write(line); err != nil {
			return size, err
		}
		size += recordSize
	}
	step()
	return size, out.Flush()
}

// replace makes file, of size octets, the log under path, once it has what the
// present log got since from.
func (j *journal) replace(file *os.File, size, from int64, path string) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.write(); err != nil {
		return err
	}
	step()
	tail, err := io.Copy(io.NewOffsetWriter(file, size), io.NewSectionReader(j.file, from, j.size-from))
	if err != nil {
		return err
	}
	step()
	if err := os.Rename(path+newSuffix, path); err != nil {
		return err
	}
	j.file.Close()
	j.file, j.size = file, size+tail
	return nil
}
