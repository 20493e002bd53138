package digest

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// key is that of a GET.
func key(url string) Key { return md5.Sum(append([]byte{1}, url...)) }

// Digests a running 2.6 made of known caches: all bits, not only those of a URL.
func TestRecorded(t *testing.T) {
	for _, c := range []struct {
		urls               string
		capacity, perEntry int
		want               string // header as far as it is not zero, and mask
	}{
		{"", 1, 5, "00050003" + "00000001" + "00000000" + "00000000" + "00000001" + "0504" + "..." + "00"},
		{"m6000/a m6000/b m6000/c m6000/d m6000/e m62/y", 7, 5,
			"00050003" + "00000007" + "00000006" + "00000000" + "00000005" + "0504" + "..." + "1c87ece903"},
		{"m6000/a m6000/b m6000/c m6000/d m6000/e m6000/f m6000/g m6000/h", 9, 16,
			"00050003" + "00000009" + "00000008" + "00000000" + "00000012" + "1004" + "..." + "800540000135000251400c408a04e0304308"},
	} {
		d := New(c.capacity, c.perEntry)
		for _, path := range strings.Fields(c.urls) {
			d.Add(key("http://www.test:28000/" + path))
		}
		want, err := hex.DecodeString(strings.Replace(c.want, "...", strings.Repeat("00", HeaderSize-22), 1))
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Append(nil); !bytes.Equal(got, want) || len(got) != d.Size() {
			t.Errorf("%s:\ngot  %x\nwant %x", c.urls, got, want)
		}
	}
}

// What was put in is found, also after the way to a neighbour.
func TestHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		urls := rapid.SliceOfN(rapid.String(), 1, 50).Draw(t, "urls")
		d := New(len(urls), rapid.IntRange(5, 20).Draw(t, "bits"))
		for _, url := range urls {
			d.Add(key(url))
		}
		read, err := Read(iotest.OneByteReader(bytes.NewReader(append(d.Append(nil), "behind it"...))))
		if errors.Is(err, ErrUseless) && d.Full() > mostFull {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range urls {
			if !d.Has(key(url)) || !read.Has(key(url)) {
				t.Fatalf("%q is not in it", url)
			}
		}
		if read.Count != len(urls) || read.Capacity != d.Capacity {
			t.Fatalf("%d of %d", read.Count, read.Capacity)
		}
	})
}

// Few keys that were not put in are found: with 5 bits an entry the theory says
// (1-e^(-4/5))^4 = 9 %.
func TestFalsePositives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() (k Key) {
		binary.LittleEndian.PutUint64(k[:], r.Uint64())
		binary.LittleEndian.PutUint64(k[8:], r.Uint64())
		return k
	}
	const n = 20000
	d := New(n, 5)
	for range n {
		d.Add(random())
	}
	wrong := 0
	for range n {
		if d.Has(random()) {
			wrong++
		}
	}
	if share := 100 * wrong / n; share < 5 || share > 13 {
		t.Errorf("%d %% false positives", share)
	}
	if full := d.Full(); full < 50 || full > 60 {
		t.Errorf("%d %% of the bits", full)
	}
}

// good is a digest of one object as bytes, and with octets of its header replaced.
func good(at int, octets ...byte) []byte {
	d := New(200, 5)
	d.Add(key("http://www.test/"))
	b := d.Append(nil)
	copy(b[at:], octets)
	return b
}

func TestReadFaults(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"requires a later version", good(0, 0, 6, 0, 6), "digest requires version 6; have: 5"},
		{"an old version", good(0, 0, 2, 0, 1), "digest is version 2; we require: 3"},
		{"a version below zero", good(0, 255, 255, 0, 5), "digest is version -1; we require: 3"},
		{"another number of functions", good(21, 3), "unsupported number of hash functions: 3"},
		{"a mask that does not fit", good(16, 0, 0, 0, 77), "digest mask of 77 octets for a capacity of 200"},
		{"no capacity", good(4, 0, 0, 0, 0), "digest of capacity 0 with a mask of 125 octets"},
		{"no mask", good(16, 0, 0, 0, 0), "digest of capacity 200 with a mask of 0 octets"},
		{"a huge mask", good(16, 255, 255, 255, 255), "digest mask of 4294967295 octets; at most 67108864 are read"},
		{"cut in the mask", good(0, 0)[:150], ErrCut.Error()},
		{"cut in the header", good(0, 0)[:100], ErrCut.Error()},
		{"nothing", nil, ErrCut.Error()},
		{"full", append(good(0, 0)[:HeaderSize], bytes.Repeat([]byte{255}, 125)...), "useless digest: 100% of the bits are set"},
	} {
		if d, err := Read(bytes.NewReader(c.b)); err == nil || err.Error() != c.want || d != nil {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := Read(bytes.NewReader(good(0, 0, 9, 0, 5))); err != nil {
		t.Errorf("a later version that we can read: %v", err)
	}
	if _, err := Read(io.MultiReader(bytes.NewReader(good(0, 0)[:130]), iotest.ErrReader(io.ErrClosedPipe))); err != io.ErrClosedPipe {
		t.Errorf("a reader's own error: %v", err)
	}
}

// Hostile bytes give an error or a digest that can be asked; memory follows what
// came, not what was promised.
func FuzzRead(f *testing.F) {
	f.Add(good(0, 0))
	f.Add(good(16, 0, 255, 255, 255))
	f.Add(good(4, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		d.Has(key("http://www.test/"))
		again, err := Read(bytes.NewReader(d.Append(nil)))
		if err != nil || !bytes.Equal(again.mask, d.mask) || again.Capacity != d.Capacity {
			t.Fatalf("%x: %v", b, err)
		}
	})
}
