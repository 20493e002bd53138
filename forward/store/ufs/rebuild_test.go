package ufs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// filled makes a directory with n objects and its index.
func filled(t testing.TB, n int) (Options, *Dir, map[Key]*Record) {
	t.Helper()
	o := newDir(t)
	d := mustOpen(t, o)
	mustRebuild(t, d)
	index := map[Key]*Record{}
	for i := range n {
		rec := mustStore(t, d, &object{url: fmt.Sprintf("http://a/%d", i), size: 100 * i, unknown: i%5 == 4})
		index[rec.Key] = rec
	}
	return o, d, index
}

// end closes a directory, with swap.state written anew if clean.
func end(t testing.TB, d *Dir, index map[Key]*Record, clean bool) {
	t.Helper()
	if clean {
		if err := d.Rewrite(maps.Values(index), true); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRoundTrip: what was stored is there after a clean end and after another.
func TestRoundTrip(t *testing.T) {
	for _, clean := range []bool{true, false} {
		o, d, index := filled(t, 40)
		for i := range 10 { // some go, some are replaced
			old := index[(&object{url: fmt.Sprintf("http://a/%d", 2*i)}).key()]
			d.Delete(old)
			delete(index, old.Key)
			if err := d.Unlink(old.Number); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				rec := mustStore(t, d, &object{url: fmt.Sprintf("http://a/%d", 2*i), version: 1, size: 77})
				if rec.Number != Number(i) { // the lowest one free
					t.Errorf("number %d is used, not %d", rec.Number, i)
				}
				index[rec.Key] = rec
			}
		}
		end(t, d, index, clean)
		again := mustOpen(t, o)
		got, report := mustRebuild(t, again)
		sameRecords(t, got, index)
		want := Report{Path: o.Path, Clean: clean, Records: 55, Entries: 45, Loaded: 35, Cancelled: 10, Took: report.Took}
		if clean {
			want.Records, want.Entries, want.Cancelled = 35, 35, 0
		}
		if !clean {
			want.Clashes = 5 // five numbers had two objects, one after the other
		}
		if report != want {
			t.Errorf("rebuilt with %+v, want %+v", report, want)
		}
		for _, rec := range got {
			checkObject(t, again, rec)
		}
	}
}

// checkObject reads an object of rig_test.go and compares each octet.
func checkObject(t testing.TB, d *Dir, rec *Record) {
	t.Helper()
	h := readHeld(t, d, rec)
	var o object
	o.url, o.version = h.url, int(rec.Timestamp-objectTime)
	o.size, o.unknown = h.length, !strings.Contains(h.head, "Content-Length")
	file, err := os.ReadFile(d.layout.file(rec.Number))
	if err != nil {
		t.Fatal(err)
	}
	if want := o.reply(); string(file[int64(len(file))-int64(len(want)):]) != string(want) {
		t.Errorf("%s version %d: %d octets are not those stored", o.url, o.version, len(file))
	}
}

// TestAllocateWaits: no number is handed out before those in use are known.
func TestAllocateWaits(t *testing.T) {
	o := newDir(t)
	d := mustOpen(t, o)
	if _, err := d.Allocate(); !errors.Is(err, ErrRebuilding) {
		t.Errorf("before the rebuild: %v", err)
	}
	mustRebuild(t, d)
	if n, err := d.Allocate(); err != nil || n != 0 {
		t.Errorf("after it: %d, %v", n, err)
	}
	if _, err := d.Rebuild(context.Background(), Sink{}); err == nil {
		t.Error("rebuilt twice")
	}
}

// TestStoppedRebuild: an index that is not whole does not become swap.state.
func TestStoppedRebuild(t *testing.T) {
	o, d, index := filled(t, 10)
	end(t, d, index, true)
	end(t, mustOpen(t, o), nil, true) // ends before the rebuild begins
	got, report := mustRebuild(t, mustOpen(t, o))
	if sameRecords(t, got, index); report.Clean {
		t.Error("the end before the index was whole counts as clean")
	}

	os.Remove(filepath.Join(o.Path, "swap.state"))
	ctx, cancel := context.WithCancel(context.Background())
	d = mustOpen(t, o)
	_, err := d.Rebuild(ctx, Sink{Load: func(*Record) Verdict { cancel(); return Loaded }, Progress: func(int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("rebuilt: %v", err)
	}
	end(t, d, nil, true)
	got, report = mustRebuild(t, mustOpen(t, o))
	if !report.Scanned || len(got) != 8 {
		t.Errorf("%d objects (%+v), of ten the two of unknown length cannot be told", len(got), report)
	}
}

// TestReadOnly: nothing is written in a read-only directory, and all of it is read.
func TestReadOnly(t *testing.T) {
	o, d, index := filled(t, 20)
	end(t, d, index, true)
	before := snapshot(t, o.Path)
	o.ReadOnly = true
	d = mustOpen(t, o)
	got, _ := mustRebuild(t, d)
	sameRecords(t, got, index)
	if _, err := d.Allocate(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a number to write: %v", err)
	}
	for _, rec := range got {
		checkObject(t, d, rec)
		d.Delete(rec)
		if err := d.Unlink(rec.Number); err != nil {
			t.Error(err)
		}
	}
	end(t, d, nil, true)
	if after := snapshot(t, o.Path); !maps.Equal(before, after) {
		t.Errorf("the directory has changed: %v, %v", slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)))
	}
}

// snapshot is the contents of all files of a directory.
func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	eachFile(t, dir, func(path string, data []byte) []byte {
		rel, _ := filepath.Rel(dir, path)
		files[rel] = string(data)
		return data
	})
	return files
}

// TestForeign: directories of other machines and later Squids.
func TestForeign(t *testing.T) {
	header := func(order binary.AppendByteOrder, version, size uint32) []byte {
		b := order.AppendUint32([]byte{3, 0, 0, 0}, version)
		return append(order.AppendUint32(b, size), make([]byte, 60)...)
	}
	for name, state := range map[string][]byte{
		"32 bits":       append(header(binary.LittleEndian, 1, 48), make([]byte, 480)...),
		"a later Squid": append(header(binary.LittleEndian, 2, 72), make([]byte, 720)...),
		"noise":         []byte(strings.Repeat("noise", 100)),
		"empty":         {},
	} {
		o, d, index := filled(t, 10)
		end(t, d, index, true)
		if err := os.WriteFile(filepath.Join(o.Path, "swap.state"), state, 0o644); err != nil {
			t.Fatal(err)
		}
		got, report := mustRebuild(t, mustOpen(t, o))
		if !report.Scanned || report.Adopted != 8 || report.Unfinished != 2 || len(got) != 8 {
			t.Errorf("%s: %d objects, %+v", name, len(got), report)
		}
		if len(report.DirLines()) < 2 {
			t.Errorf("%s: only %q", name, report.DirLines())
		}
	}
	o, d, index := filled(t, 10)
	end(t, d, index, true)
	os.WriteFile(filepath.Join(o.Path, "swap.state"), header(binary.BigEndian, 1, 72), 0o644)
	before := snapshot(t, o.Path)
	if _, err := Open(o); !errors.Is(err, ErrForeign) {
		t.Errorf("big-endian: %v", err)
	}
	if !maps.Equal(before, snapshot(t, o.Path)) {
		t.Error("big-endian: the directory has changed")
	}
}

// TestStrayFiles: files that are none of ours, or of a big-endian machine, stay.
func TestStrayFiles(t *testing.T) {
	o, d, index := filled(t, 3)
	end(t, d, index, false)
	stray := map[string]string{
		"00/00/README":   "hello",
		"00/00/000000FF": "in the wrong folder",
		"00/00/00000010": "\x03\x00\x00\x00\x70\x03\x00\x00\x00\x10big-endian",
		"lost+found":     "",
	}
	for name, text := range stray {
		if err := os.WriteFile(filepath.Join(o.Path, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(o.Path, "00/00/00000011"), []byte("unfinished"), 0o644); err != nil {
		t.Fatal(err)
	}
	d = mustOpen(t, o)
	got, report := mustRebuild(t, d)
	sameRecords(t, got, index)
	if report.Foreign != 1 || report.Misplaced != 2 || report.Unfinished != 1 {
		t.Errorf("rebuilt with %+v", report)
	}
	now := snapshot(t, o.Path)
	for name, text := range stray {
		if now[name] != text {
			t.Errorf("%s is %q", name, now[name])
		}
	}
	if !d.numbers.has(0x10) || d.numbers.has(0x11) {
		t.Error("the number of the foreign file is free, or that of the unfinished one is not")
	}
}

// TestDoubleCheck: squid -S finds files that are gone or of another length.
func TestDoubleCheck(t *testing.T) {
	o, d, index := filled(t, 10)
	end(t, d, index, true)
	os.Remove(d.layout.file(3))
	os.Truncate(d.layout.file(5), 7)
	d = mustOpen(t, o)
	x := simpleIndex{d: d, entries: map[Key]*Record{}}
	sink := x.sink()
	sink.DoubleCheck = true
	report, err := d.Rebuild(context.Background(), sink)
	if err != nil || report.Faults != 2 || len(x.entries) != 8 || len(x.faults) != 2 {
		t.Fatalf("%d entries, %+v, %v", len(x.entries), report, err)
	}
	slices.SortFunc(x.faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	for i, want := range []SwapFault{{3, d.layout.file(3), index[(&object{url: "http://a/3"}).key()].Size, -1},
		{5, d.layout.file(5), index[(&object{url: "http://a/5"}).key()].Size, 7}} {
		if got := x.faults[i].(*SwapFault); *got != want {
			t.Errorf("got %v, want %v", got, &want)
		}
	}
}
