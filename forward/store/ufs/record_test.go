package ufs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// TestRecordBytes: a record written by 2.6, field by field.
func TestRecordBytes(t *testing.T) {
	path, _ := unpack(t, "ufs-killed")
	log, err := os.ReadFile(filepath.Join(path, "swap.state"))
	if err != nil {
		t.Fatal(err)
	}
	if err := checkHeader(log); err != nil {
		t.Error(err)
	}
	if got := appendHeader(nil); !bytes.Equal(got, log[:recordSize]) {
		t.Errorf("header %x, 2.6 wrote %x", got, log[:recordSize])
	}
	for i := recordSize; i < len(log); i += recordSize {
		var r Record
		op := r.parse(log[i:])
		if got := r.append(nil, op); !bytes.Equal(got, log[i:i+recordSize]) {
			t.Errorf("record at %d: %x, 2.6 wrote %x", i, got, log[i:i+recordSize])
		}
	}
	var r Record
	r.parse(log[recordSize*34:]) // the deletion of 1E
	want := Record{Number: 0x1E, Times: Times{1795389581, 1795389581, 1795489581, -1}, Size: 419, RefCount: 2, Flags: 0x420,
		Key: Key{0x4c, 0x06, 0xd8, 0xb9, 0xbe, 0x15, 0x63, 0xe4, 0x21, 0xc9, 0x62, 0x5d, 0x14, 0x3b, 0x2f, 0x9b}}
	if r.parse(log[recordSize*33:]) != opDelete || r != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
}

func TestHeaders(t *testing.T) {
	header := func(order binary.AppendByteOrder, op byte, version, size uint32) []byte {
		b := order.AppendUint32([]byte{op, 0, 0, 0}, version)
		return append(order.AppendUint32(b, size), make([]byte, 60)...)
	}
	le, be := binary.LittleEndian, binary.BigEndian
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"2.6's":                     {header(le, 3, 1, 72), nil},
		"a 32-bit machine's":        {header(le, 3, 1, 48), errNotOurs},
		"32 bits, large files":      {header(le, 3, 1, 52), errNotOurs},
		"a later Squid's":           {header(le, 3, 2, 72), errNotOurs},
		"big-endian":                {header(be, 3, 1, 72), errBigEndian},
		"big-endian, 32 bits":       {header(be, 3, 1, 48), errBigEndian},
		"big-endian operation":      {append([]byte{0, 0, 0, 3}, header(be, 3, 1, 72)[4:]...), errBigEndian},
		"cut":                       {header(le, 3, 1, 72)[:71], errNotOurs},
		"no header, as before 2.6":  {header(le, 1, 1, 72), errNotOurs},
		"zeros":                     {make([]byte, 72), errNotOurs},
		"text":                      {bytes.Repeat([]byte("swap"), 18), errNotOurs},
		"nothing":                   {nil, errNotOurs},
		"version of the far future": {header(le, 3, 1<<31, 72), errNotOurs},
	} {
		if err := checkHeader(c.b); !errors.Is(err, c.want) || c.want == errNotOurs && errors.Is(err, errBigEndian) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func drawRecord(t *rapid.T) Record {
	moment := rapid.Int64Range(-1, 1<<40)
	r := Record{
		Number:   Number(rapid.IntRange(0, maxNumbers-1).Draw(t, "number")),
		Times:    Times{moment.Draw(t, "timestamp"), moment.Draw(t, "lastref"), moment.Draw(t, "expires"), moment.Draw(t, "lastmod")},
		Size:     rapid.Int64Range(1, maxObjectFile).Draw(t, "size"),
		RefCount: rapid.Uint16().Draw(t, "references"),
		Flags:    rapid.Uint16().Draw(t, "flags"),
	}
	copy(r.Key[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"))
	return r
}

func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		op := rapid.SampledFrom([]byte{opAdd, opDelete}).Draw(t, "op")
		b := r.append(nil, op)
		var got Record
		if len(b) != recordSize || got.parse(b) != op || got != r {
			t.Errorf("%+v became %+v", r, got)
		}
	})
}

// TestRecordsRefused: what 2.6 never writes is no record.
func TestRecordsRefused(t *testing.T) {
	good := Record{Number: 5, Size: 500}
	for name, spoil := range map[string]func(b []byte){
		"operation 0":        func(b []byte) { b[0] = 0 },
		"operation 3":        func(b []byte) { b[0] = 3 },
		"number too large":   func(b []byte) { b[7] = 1 },
		"negative number":    func(b []byte) { binary.LittleEndian.PutUint32(b[4:], ^uint32(0)) },
		"no size":            func(b []byte) { b[40], b[41] = 0, 0 },
		"size of a mountain": func(b []byte) { b[47] = 0x80 },
	} {
		b := good.append(nil, opAdd)
		spoil(b)
		if op := new(Record).parse(b); op != 0 {
			t.Errorf("%s: taken as operation %d", name, op)
		}
	}
}
