package ufs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

const recordings = "../../../testdata/store/"

// recorded is one object that was a hit when 2.6 ended.
type recorded struct {
	URL           string `json:"url"`
	RequestHeader string `json:"request_header"`
	Status        int
	Head          []string
	Length        int
	MD5           string
}

// unpack makes a recorded directory, and the list of what it holds.
func unpack(t testing.TB, name string) (dir string, objects []recorded) {
	t.Helper()
	text, err := os.ReadFile(recordings + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Objects []recorded }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(recordings + name + ".tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir = t.TempDir()
	untar(t, f, dir)
	return dir, list.Objects
}

// untar unpacks cache/* into dir, with the times of the files.
func untar(t testing.TB, f io.Reader, dir string) {
	t.Helper()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, strings.TrimPrefix(h.Name, "cache"))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else {
			var data []byte
			if data, err = io.ReadAll(archive); err == nil {
				err = os.WriteFile(path, data, 0o644)
			}
			if err == nil {
				err = os.Chtimes(path, h.ModTime, h.ModTime)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// recordedDirs are the recorded directories and their L1 and L2.
var recordedDirs = map[string][2]int{"ufs-clean": {16, 16}, "ufs-killed": {2, 4}, "diskd-clean": {2, 2}}

func openRecorded(t testing.TB, name string) (d *Dir, objects []recorded) {
	t.Helper()
	path, objects := unpack(t, name)
	l := recordedDirs[name]
	return mustOpen(t, Options{Path: path, L1: l[0], L2: l[1]}), objects
}

// held is an object as it was read from a directory.
type held struct {
	url, vary string
	head      string
	timestamp int64
	length    int
	md5       string
}

func readHeld(t testing.TB, d *Dir, rec *Record) held {
	t.Helper()
	o, err := d.OpenObject(rec.Number, &Want{Key: rec.Key, Size: rec.Size, Timestamp: rec.Timestamp}, make([]byte, 4096), false)
	if err != nil {
		t.Fatal(err)
	}
	defer o.File.Close()
	reply, err := io.ReadAll(io.NewSectionReader(o.File, o.HeadOffset, o.Size-o.HeadOffset))
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(reply, []byte("\r\n\r\n"))
	sum := md5.Sum(body)
	return held{string(o.URL), string(o.VaryHeaders), string(head), o.Timestamp, len(body), hex.EncodeToString(sum[:])}
}

// is reports whether h is the object of a recording. A Content-Length the origin
// did not send is none of the stored head; 2.6 adds it to a hit.
func (h *held) is(r *recorded) bool {
	if h.url != r.URL || h.length != r.Length || h.md5 != r.MD5 {
		return false
	}
	for _, line := range r.Head {
		if !strings.Contains(h.head, "\r\n"+line) && (!strings.HasPrefix(line, "Content-Length: ") || strings.Contains(h.head, "Content-Length")) {
			return false
		}
	}
	return true
}

// TestRecorded: every object of every directory 2.6 left is there, with its
// bytes, its head and its time.
func TestRecorded(t *testing.T) {
	for name := range recordedDirs {
		t.Run(name, func(t *testing.T) {
			d, objects := openRecorded(t, name)
			index, report := mustRebuild(t, d)
			if report.Clean != strings.HasSuffix(name, "clean") || report.Scanned || report.Invalid > 0 || report.Missing > 0 || report.Unfinished > 0 || report.Adopted > 0 {
				t.Errorf("rebuilt with %+v", report)
			}
			checkRecorded(t, d, index, objects)
		})
	}
}

func checkRecorded(t *testing.T, d *Dir, index map[Key]*Record, objects []recorded) {
	t.Helper()
	all := map[string][]held{}
	for key, rec := range index {
		h := readHeld(t, d, rec)
		all[h.url] = append(all[h.url], h)
		if !strings.Contains(h.head, "x-squid-internal/vary") && h.vary == "" && md5.Sum(append([]byte{1}, h.url...)) != key {
			t.Errorf("%s is under key %x", h.url, key)
		}
		_, date, _ := strings.Cut(h.head, "\r\nDate: ")
		date, _, _ = strings.Cut(date, "\r\n")
		if at, ok := http1.ParseDate([]byte(date)); !ok || h.timestamp > at.Unix() || h.timestamp < at.Unix()-1 {
			t.Errorf("%s: timestamp %d, Date %s", h.url, h.timestamp, date)
		}
	}
	for _, r := range objects {
		found := false
		for _, h := range all[r.URL] {
			found = found || h.is(&r)
		}
		if !found {
			t.Errorf("%s (%s) is not there", r.URL, r.RequestHeader)
		}
	}
}

// TestRecordedScanned: without swap.state the files tell the same, as far as they
// prove to be whole.
func TestRecordedScanned(t *testing.T) {
	for name, l := range recordedDirs {
		t.Run(name, func(t *testing.T) {
			path, objects := unpack(t, name)
			if err := os.Remove(filepath.Join(path, "swap.state")); err != nil {
				t.Fatal(err)
			}
			d := mustOpen(t, Options{Path: path, L1: l[0], L2: l[1]})
			index, report := mustRebuild(t, d)
			if !report.Scanned || report.Clean {
				t.Errorf("rebuilt with %+v", report)
			}
			checkRecorded(t, d, index, objects)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			again, report := mustRebuild(t, mustOpen(t, Options{Path: path, L1: l[0], L2: l[1]}))
			if report.Scanned || len(again) != len(index) {
				t.Errorf("%d objects from the new swap.state, %d from the files (%+v)", len(again), len(index), report)
			}
		})
	}
}
