package ufs

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// checkDirectory checks a directory that was closed cleanly against the facts of
// testdata/store/README.md, with a reader of its own, and gives how many objects it has.
func checkDirectory(t *testing.T, path string, l1, l2 int) int {
	t.Helper()
	log, err := os.ReadFile(filepath.Join(path, "swap.state"))
	if err != nil {
		t.Fatal(err)
	}
	if mark, err := os.Stat(filepath.Join(path, "swap.state.last-clean")); err != nil || mark.Size() != 0 {
		t.Errorf("no empty swap.state.last-clean: %v", err)
	}
	if len(log) < 72 || len(log)%72 != 0 || !bytes.Equal(log[:72], append([]byte{3, 0, 0, 0, 1, 0, 0, 0, 72}, make([]byte, 63)...)) {
		t.Fatalf("swap.state of %d octets begins with %x", len(log), log[:min(72, len(log))])
	}
	files := map[string]bool{"swap.state": true, "swap.state.last-clean": true}
	keys := map[[16]byte]bool{}
	for at := 72; at < len(log); at += 72 {
		var r struct {
			Op, Number                                 int32
			Timestamp, LastRef, Expires, LastMod, Size int64
			RefCount, Flags                            uint16
			Key                                        [16]byte
			Padding                                    uint32
		}
		binary.Read(bytes.NewReader(log[at:at+72]), binary.LittleEndian, &r)
		if r.Op != 1 || r.Number < 0 || r.Padding != 0 || keys[r.Key] || r.Flags&0x80 != 0 || r.LastRef < r.Timestamp-1 {
			t.Errorf("record at %d: %+v", at, r)
		}
		keys[r.Key] = true
		n := int(r.Number)
		name := fmt.Sprintf("%02X/%02X/%08X", n/l2/l2%l1, n/l2%l2, n)
		if files[name] {
			t.Errorf("%s is in swap.state twice", name)
		}
		files[name] = true
		data, err := os.ReadFile(filepath.Join(path, name))
		if err != nil || int64(len(data)) != r.Size {
			t.Errorf("%s: %d octets, in swap.state %d (%v)", name, len(data), r.Size, err)
			continue
		}
		checkFile(t, name, data, r.Key)
	}
	for _, name := range filesOf(path) {
		if !files[name] {
			t.Errorf("%s is in no record", name)
		}
	}
	return len(keys)
}

// checkFile checks an object file.
func checkFile(t *testing.T, name string, data []byte, key [16]byte) {
	t.Helper()
	end := 0
	if len(data) > 5 && data[0] == 3 {
		end = int(binary.LittleEndian.Uint32(data[1:]))
	}
	if end < 5 || end > len(data) {
		t.Errorf("%s: swap header of %d octets", name, end)
		return
	}
	fields, order := map[byte][]byte{}, []byte{}
	for at := 5; at < end; {
		n := int(binary.LittleEndian.Uint32(data[at+1:]))
		fields[data[at]] = data[at+5 : at+5+n]
		order = append(order, data[at])
		at += 5 + n
	}
	switch string(order) {
	case "\x03\x05\x04", "\x03\x05\x04\x0a", "\x03\x05\x04\x08", "\x03\x05\x04\x0a\x08":
	default:
		t.Errorf("%s: fields %v", name, order)
	}
	url, whole := bytes.CutSuffix(fields[4], []byte{0})
	if !whole || len(fields[5]) != 44 || !bytes.Equal(fields[3], key[:]) {
		t.Errorf("%s: URL %q, key %x and not %x", name, fields[4], fields[3], key)
	}
	marker := bytes.Contains(data[end:], []byte("\r\nContent-Type: x-squid-internal/vary\r\n"))
	if fields[8] == nil && !marker && md5.Sum(append([]byte{1}, url...)) != key {
		t.Errorf("%s: key %x is not %s's", name, key, url)
	}
	if size := fields[10]; size != nil && int64(binary.LittleEndian.Uint64(size)) != int64(len(data)-end) {
		t.Errorf("%s: object size %x of %d octets", name, size, len(data)-end)
	}
	if !bytes.HasPrefix(data[end:], []byte("HTTP/1.0 ")) || !bytes.Contains(data[end:], []byte("\r\n\r\n")) {
		t.Errorf("%s: no head: %.40q", name, data[end:])
	}
}

// TestChecker: what 2.6 wrote passes, so that the checker is not stricter than it.
func TestChecker(t *testing.T) {
	for _, name := range []string{"ufs-clean", "diskd-clean"} {
		path, _ := unpack(t, name)
		l := recordedDirs[name]
		if n := checkDirectory(t, path, l[0], l[1]); n != 33 {
			t.Errorf("%s: %d objects", name, n)
		}
	}
}

// TestWrittenAs26: what is written here passes as well, also on top of what 2.6 wrote.
func TestWrittenAs26(t *testing.T) {
	o, d, index := filled(t, 25)
	end(t, d, index, true)
	if n := checkDirectory(t, o.Path, o.L1, o.L2); n != 25 {
		t.Errorf("%d objects", n)
	}
	d, _ = openRecorded(t, "ufs-killed")
	index, _ = mustRebuild(t, d)
	for i := range 10 {
		rec := mustStore(t, d, &object{url: "http://a/" + string(rune('a'+i)), size: 900})
		index[rec.Key] = rec
	}
	end(t, d, index, true)
	if n := checkDirectory(t, d.path, 2, 4); n != 43 {
		t.Errorf("%d objects beside those of 2.6", n)
	}
}
