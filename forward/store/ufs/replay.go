package ufs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// replayChunk is how many octets of swap.state are read at once.
const replayChunk = 7280 * recordSize // half a megabyte

// records reads swap.state as Open found it and calls each with every record, its
// operation (0 when it is none) and its place, counted from 1.
func (r *rebuild) records(each func(rec *Record, op byte, place uint32) error) error {
	buf := make([]byte, replayChunk)
	var rec Record
	place := uint32(0)
	for offset := int64(recordSize); offset < r.found.end; {
		chunk := buf[:min(int64(len(buf)), r.found.end-offset)]
		if _, err := r.log.ReadAt(chunk, offset); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("reading %s: %w", r.state, err)
		}
		for b := chunk; len(b) > 0; b = b[recordSize:] {
			place++
			op := rec.parse(b)
			if err := each(&rec, op, place); err != nil {
				return err
			}
		}
		offset += int64(len(chunk))
	}
	return nil
}

// readNumbers learns which numbers are in use, and which record of each is the
// last, before anything is loaded.
func (r *rebuild) readNumbers() error {
	err := r.records(func(rec *Record, op byte, place uint32) error {
		r.report.Records++
		switch {
		case op == 0:
			r.report.Invalid++
		case op == opDelete:
			if r.last.get(rec.Number) != 0 {
				r.last.set(rec.Number, 0)
				r.report.Cancelled++
			}
		default:
			r.last.set(rec.Number, place)
		}
		if place%replayChunk == 0 {
			return r.ctx.Err()
		}
		return nil
	})
	for i, page := range r.last {
		if page == nil {
			continue
		}
		for j, place := range page {
			if place != 0 {
				r.numbers.take(Number(i*len(page) + j))
			}
		}
	}
	return err
}

// places tells for each number a place in swap.state, counted from 1, or 0. It
// takes memory for what is used: noise may name any number.
type places [maxNumbers / placesPage]*[placesPage]uint32

const placesPage = 4096

func (p *places) get(n Number) uint32 {
	page := p[n/placesPage]
	if page == nil {
		return 0
	}
	return page[n%placesPage]
}

func (p *places) set(n Number, place uint32) {
	page := &p[n/placesPage]
	if *page == nil {
		*page = new([placesPage]uint32)
	}
	(*page)[n%placesPage] = place
}

// load gives the index the last record of each number, in the order of the log.
// With look, a number without a file is left out.
func (r *rebuild) load(look bool) error {
	total := r.found.end/recordSize - 1
	return r.records(func(rec *Record, op byte, place uint32) error {
		if place%10000 == 0 {
			if err := r.progress(int64(place), total); err != nil {
				return err
			}
		}
		if op != opAdd {
			return nil
		}
		r.report.Entries++
		switch {
		case r.last.get(rec.Number) != place:
			if r.last.get(rec.Number) != 0 {
				r.report.Clashes++
			}
		case look && !r.files.has(rec.Number):
			r.report.Missing++
			r.discard(rec)
		case r.sink.DoubleCheck && !r.doubleCheck(rec):
			r.discard(rec)
		default:
			r.entry(rec)
		}
		return nil
	})
}

// doubleCheck compares a record with the length of its file.
func (r *rebuild) doubleCheck(rec *Record) bool {
	path := r.layout.file(rec.Number)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = &SwapFault{Number: rec.Number, Path: path, EntrySize: rec.Size, FileSize: -1}
	case err == nil && info.Size() != rec.Size:
		err = &SwapFault{Number: rec.Number, Path: path, EntrySize: rec.Size, FileSize: info.Size()}
	case err == nil:
		return true
	}
	r.report.Faults++
	r.problem(err)
	return false
}
