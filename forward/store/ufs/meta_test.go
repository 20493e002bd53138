package ufs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMetaBytes: the swap headers 2.6 wrote, read and written again.
func TestMetaBytes(t *testing.T) {
	for name := range recordedDirs {
		path, _ := unpack(t, name)
		eachFile(t, path, func(file string, data []byte) []byte {
			if strings.Contains(file, "swap.state") {
				return data
			}
			var m Meta
			n, err := m.Parse(data)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if got := m.Append(nil); !bytes.Equal(got, data[:n]) {
				t.Errorf("%s: %x, 2.6 wrote %x", file, got, data[:n])
			}
			return data
		})
	}
}

func TestMetaRoundTrip(t *testing.T) {
	text := rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		m := Meta{Key: r.Key, Times: r.Times, FileSize: r.Size, RefCount: r.RefCount, Flags: r.Flags,
			URL: text.Draw(t, "url"), StoreURL: text.Draw(t, "storeurl"), VaryHeaders: text.Draw(t, "vary"),
			ObjectSize: rapid.Int64Range(-1, maxObjectFile).Draw(t, "objectsize")}
		b := m.Append([]byte("before"))[6:]
		var got Meta
		n, err := got.Parse(append(b, "the reply"...))
		if err != nil || n != len(b) || !got.equal(&m) {
			t.Errorf("%+v became %+v (%d of %d octets, %v)", m, got, n, len(b), err)
		}
		if _, err := got.Parse(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")]); err == nil {
			t.Error("a cut swap header was taken")
		}
	})
}

func (m *Meta) equal(o *Meta) bool {
	return m.Key == o.Key && m.Times == o.Times && m.FileSize == o.FileSize && m.RefCount == o.RefCount && m.Flags == o.Flags &&
		bytes.Equal(m.URL, o.URL) && bytes.Equal(m.StoreURL, o.StoreURL) && bytes.Equal(m.VaryHeaders, o.VaryHeaders) && m.ObjectSize == o.ObjectSize
}

// tlv is a field of a swap header.
func tlv(kind byte, value string) string {
	return string(appendField(nil, kind, len(value))) + value
}

func swapHeader(fields ...string) []byte {
	body := strings.Join(fields, "")
	return append(binary.LittleEndian.AppendUint32([]byte{metaMagic}, uint32(len(body)+metaPrefix)), body...)
}

// TestMetaForeign: the swap headers of other machines and later Squids.
func TestMetaForeign(t *testing.T) {
	le := binary.LittleEndian
	key, url := tlv(fieldKeyMD5, strings.Repeat("k", 16)), tlv(fieldURL, "http://a/\x00")
	times32 := func(size []byte) string {
		b := []byte{}
		for _, v := range []uint32{1_700_000_000, 1_700_000_001, 0xFFFFFFFF, 1_600_000_000} {
			b = le.AppendUint32(b, v)
		}
		return string(append(append(b, size...), 7, 0, 0x60, 4))
	}
	want := Meta{URL: []byte("http://a/"), Times: Times{1_700_000_000, 1_700_000_001, -1, 1_600_000_000}, FileSize: 5000, RefCount: 7, Flags: 0x460, ObjectSize: -1}
	copy(want.Key[:], strings.Repeat("k", 16))
	sized := want
	sized.ObjectSize = 77
	full := string(want.Append(nil)[metaPrefix+5+16+5:][:timesSize])
	for name, c := range map[string]struct {
		b    []byte
		want *Meta
	}{
		"32 bits":                     {swapHeader(key, tlv(fieldTimes, times32(le.AppendUint32(nil, 5000))), url), &want},
		"32 bits, large files":        {swapHeader(key, tlv(fieldTimesLFS, times32(le.AppendUint64(nil, 5000))), url), &want},
		"32 bits, object size":        {swapHeader(key, tlv(fieldTimes, times32(le.AppendUint32(nil, 5000))), url, tlv(fieldObjectSize, "\x4d\x00\x00\x00")), &sized},
		"a later Squid's":             {swapHeader(key, tlv(fieldTimesLFS, full), url, tlv(fieldObjectSize, "\x4d\x00\x00\x00\x00\x00\x00\x00")), &sized},
		"unknown fields":              {swapHeader(tlv(77, "?"), key, tlv(fieldTimes, full), tlv(12, ""), url), &want},
		"no key":                      {swapHeader(tlv(fieldTimes, full), url), nil},
		"no URL":                      {swapHeader(key, tlv(fieldTimes, full)), nil},
		"no times":                    {swapHeader(key, url), nil},
		"key too short":               {swapHeader(tlv(fieldKeyMD5, "short"), tlv(fieldTimes, full), url), nil},
		"URL without its end":         {swapHeader(key, tlv(fieldTimes, full), tlv(fieldURL, "http://a/")), nil},
		"times of another length":     {swapHeader(key, tlv(fieldTimes, full[:40]), url), nil},
		"negative object size":        {swapHeader(key, tlv(fieldTimes, full), url, tlv(fieldObjectSize, "\xff\xff\xff\xff\xff\xff\xff\xff")), nil},
		"half a field":                {swapHeader(key, tlv(fieldTimes, full), url, "\x05\x00"), nil},
		"a field longer than all":     {swapHeader(key, tlv(fieldTimes, full), url, "\x08\xff\xff\xff\x7f"), nil},
		"a field of negative length":  {swapHeader(key, tlv(fieldTimes, full), url, "\x08\xff\xff\xff\xff"), nil},
		"another beginning":           {append([]byte{4}, swapHeader(key, tlv(fieldTimes, full), url)[1:]...), nil},
		"nothing":                     {nil, nil},
		"a page of HTML":              {[]byte("<html><body>not a cache file</body></html>"), nil},
		"longer than any swap header": {append([]byte{metaMagic, 0, 0, 0, 1}, make([]byte, 200)...), nil},
	} {
		var m Meta
		n, err := m.Parse(c.b)
		switch {
		case c.want == nil && !errors.Is(err, errMeta):
			t.Errorf("%s: taken as %+v (%v)", name, m, err)
		case c.want != nil && (err != nil || n != len(c.b) || !m.equal(c.want)):
			t.Errorf("%s: got %+v (%d, %v), want %+v", name, m, n, err, c.want)
		}
	}
	if _, err := metaLength([]byte{metaMagic, 0, 0, 0, 0x70}); !errors.Is(err, errBigEndianFile) {
		t.Errorf("a big-endian file: %v", err)
	}
}

// TestSeal: a file whose length was not known tells it once it is whole, and only then
// is it taken without swap.state.
func TestSeal(t *testing.T) {
	o, d, _ := filled(t, 0)
	for i, url := range []string{"http://a/sealed", "http://a/open"} {
		ob := &object{url: url, size: 6000, unknown: true}
		rec := mustStore(t, d, ob)
		if i > 0 {
			continue
		}
		file, err := os.OpenFile(d.layout.file(rec.Number), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := Seal(file, rec.Size); err != nil {
			t.Fatal(err)
		}
		file.Close()
		checkObject(t, d, rec)
	}
	end(t, d, nil, false)
	os.Remove(d.state)
	index, report := mustRebuild(t, mustOpen(t, o))
	if sealed := index[(&object{url: "http://a/sealed"}).key()]; sealed == nil || len(index) != 1 || report.Unfinished != 1 {
		t.Errorf("%d objects, %+v", len(index), report)
	}
}

// FuzzMeta: no octets panic, and what is taken can be written and read again.
func FuzzMeta(f *testing.F) {
	path, _ := unpack(f, "diskd-clean")
	for _, file := range []string{"/00/00/00000000", "/00/01/00000022", "/01/01/0000001F"} {
		data, err := os.ReadFile(path + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:min(len(data), 400)])
	}
	f.Add(swapHeader(tlv(fieldTimes, strings.Repeat("t", 24)), tlv(fieldKeyMD5, strings.Repeat("k", 16)), tlv(fieldURL, "\x00")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again Meta
		n, err := m.Parse(b)
		if err != nil {
			return
		}
		if n > len(b) {
			t.Fatalf("%d octets of %d", n, len(b))
		}
		if _, err := again.Parse(m.Append(nil)); err != nil || !again.equal(&m) {
			t.Fatalf("%+v became %+v (%v)", m, again, err)
		}
	})
}
