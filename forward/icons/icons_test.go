package icons

import (
	"bytes"
	"image/gif"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

var started = time.Unix(1700000000, 0)

func TestBuiltin(t *testing.T) {
	s, problems := Load(&conf.ErrorPageSettings{}, started)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, name := range []string{"anthony-dir.gif", "anthony-dirup.gif", "anthony-text.gif", "anthony-unknown.gif", "anthony-link.gif", "anthony-image.gif", "anthony-compressed.gif"} {
		icon := s.Icon(name)
		if icon == nil {
			t.Errorf("no icon %s", name)
			continue
		}
		if img, err := gif.Decode(bytes.NewReader(icon.Body)); err != nil || img.Bounds().Dx() != 26 {
			t.Errorf("%s: %v", name, err)
		}
		if icon.ContentType != "image/gif" || !icon.Modified.Equal(started) {
			t.Errorf("%s: %+v", name, icon)
		}
	}
	if s.Icon("no-such.gif") != nil {
		t.Error("an icon nobody names")
	}
	for _, s := range shapes {
		if drawings[s.drawing] == "" {
			t.Errorf("no drawing %s", s.drawing)
		}
	}
	for name, want := range map[string]string{
		"a.html": "text/html", "A.HTM": "text/html", "x.tar.gz": "application/x-tar", "x.gif": "image/gif", "README": "text/plain",
		"readme.Z": "text/plain", "x.tgz": "application/x-tar", "odd": "text/plain", "v.mpeg": "video/mpeg", "a.c": "text/plain", "internal-dir": "",
	} {
		if got := s.Table.ContentType(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if e := s.Table.ForFile("x.gz"); e == nil || e.Encoding != "gzip" || e.ASCII || !e.Download || e.View {
		t.Errorf("x.gz: %+v", e)
	}
}

func TestOperatorsFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"mime.conf": "# comment\n\\.one$ x/one one.png - ascii +view +odd # more\n\n\\.png$ image/png - - image\nshort line\n(bad x/bad bad.gif - image\n",
		"one.png":   "pixels",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, problems := Load(&conf.ErrorPageSettings{MimeTable: filepath.Join(dir, "mime.conf"), IconDirectory: dir}, started)
	if len(problems) != 3 {
		t.Errorf("problems %q", problems)
	}
	icon := s.Icon("one.png")
	if icon == nil || string(icon.Body) != "pixels" || icon.ContentType != "image/png" || icon.Modified.Equal(started) {
		t.Errorf("%+v", icon)
	}
	if e := s.Table.ForFile("a.ONE"); e == nil || !e.ASCII || !e.View || e.Download || e.Encoding != "" {
		t.Errorf("%+v", e)
	}
	if s.Table.ForFile("a.two") != nil {
		t.Error("a.two matches")
	}
}

func TestPaths(t *testing.T) {
	if name, ok := StaticName("/squid-internal-static/icons/a.gif"); !ok || name != "a.gif" {
		t.Errorf("%q %v", name, ok)
	}
	for path, want := range map[string][2]bool{
		"/squid-internal-static/icons/x": {true, true}, "/squid-internal-dynamic/netdb": {true, false}, "/squid": {false, false}, "": {false, false},
	} {
		if IsInternal(path) != want[0] || IsStatic([]byte(path)) != want[1] {
			t.Errorf("%q", path)
		}
	}
	if _, ok := StaticName("/squid-internal-static/other"); ok {
		t.Error("another static object passes for an icon")
	}
}

func FuzzRead(f *testing.F) {
	f.Add(builtinTable)
	f.Add("a b c d e f\n\x00 ( [ \\\n")
	f.Fuzz(func(t *testing.T, text string) {
		if table, _, err := Read(strings.NewReader(text)); err == nil && table == nil {
			t.Fatal("neither table nor error")
		}
	})
}
