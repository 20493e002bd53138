package icons

import (
	"bytes"
	"image/gif"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// A table that cannot be read gives way to the program's, with a word in the
// log; one that is not there does so in silence.
func TestTableProblems(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, []byte("\\.a$ x/a a.gif - image\n"+strings.Repeat("x", maxTableLine+1)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"": "", filepath.Join(dir, "absent"): "", filepath.Join(long, "below"): "not a directory", dir: "is a directory", long: "too long",
	} {
		s, problems := Load(&conf.ErrorPageSettings{MimeTable: path}, started)
		if s.Icon("anthony-dir.gif") == nil || s.Table.ContentType("a.html") != "text/html" {
			t.Errorf("%q: the built-in table is not used", path)
		}
		if got := strings.Join(problems, "\n"); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: problems %q, want %q", path, got, want)
		}
	}
}

// Icons that are no plain files of a bearable size are drawn instead; a name
// with a slash leads nowhere.
func TestIconProblems(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder.gif"), 0o755); err != nil {
		t.Fatal(err)
	}
	big, err := os.Create(filepath.Join(dir, "big.gif"))
	if err == nil {
		err = big.Truncate(maxIcon + 1)
		big.Close()
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "odd.zzz"), []byte("odd"), 0o644)
	}
	table := filepath.Join(dir, "mime.conf")
	if err == nil {
		err = os.WriteFile(table, []byte("\\.a$ x/a folder.gif - image\n\\.b$ x/b big.gif - image\n\\.c$ x/c odd.zzz - image\n\\.d$ x/d ../mime.conf - image\n\\.e$ x/e odd.zzz - image\n"), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, problems := Load(&conf.ErrorPageSettings{MimeTable: table, IconDirectory: dir}, started)
	if len(problems) != 2 || !strings.Contains(problems[0], "folder.gif") || !strings.Contains(problems[1], "big.gif") {
		t.Errorf("problems %q", problems)
	}
	for _, name := range []string{"folder.gif", "big.gif"} {
		if i := s.Icon(name); i == nil || i.ContentType != "image/gif" || !i.Modified.Equal(started) {
			t.Errorf("%s: %+v", name, i)
		} else if _, err := gif.Decode(bytes.NewReader(i.Body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if i := s.Icon("odd.zzz"); i == nil || i.ContentType != "application/octet-stream" || string(i.Body) != "odd" {
		t.Errorf("a file of no known type: %+v", i)
	}
	if s.Icon("../mime.conf") != nil {
		t.Error("a file outside of icon_directory is served")
	}
}

// An ending that tells an encoding is taken off once for each, and a name that
// is nothing but one ends the search.
func TestEncodings(t *testing.T) {
	table, problems, err := Read(strings.NewReader("\\.gz$ - c.gif gzip image\n\\.Z$ - c.gif compress image\n^gz$ - c.gif gzip image\n\\.txt$ text/plain t.gif - TEXT\n"))
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	for name, want := range map[string]string{
		"a.txt": "text/plain", "a.txt.gz": "text/plain", "a.txt.gz.Z": "text/plain", "a.bin.gz": "", "gz": "", ".gz": "", ".gz.gz": "", "": "",
	} {
		if got := table.ContentType(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if e := table.ForFile("a.txt"); e == nil || !e.ASCII {
		t.Errorf("a.txt: %+v", e)
	}
}
