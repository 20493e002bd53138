package ufs

import "testing"

// TestFiles: paths 2.6 used.
func TestFiles(t *testing.T) {
	for _, c := range []struct {
		l1, l2 int
		n      Number
		want   string
	}{
		{16, 256, 0, "/c/00/00/00000000"},
		{16, 256, 255, "/c/00/00/000000FF"},
		{16, 256, 256, "/c/00/01/00000100"},
		{16, 256, 65536, "/c/01/00/00010000"},
		{16, 256, 1<<24 - 1, "/c/0F/FF/00FFFFFF"},
		{2, 4, 0x20, "/c/00/00/00000020"},
		{2, 4, 0x1F, "/c/01/03/0000001F"},
		{2, 2, 0x22, "/c/00/01/00000022"},
		{1, 1, 7, "/c/00/00/00000007"},
	} {
		if got := (layout{"/c", c.l1, c.l2}).file(c.n); got != c.want {
			t.Errorf("%d x %d: file %d is %s, want %s", c.l1, c.l2, c.n, got, c.want)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for name, want := range map[string]Number{"00000000": 0, "0000001F": 31, "00FFFFFF": 1<<24 - 1,
		"0000001f": -1, "01000000": -1, "FFFFFFFF": -1, "0000001": -1, "000000001": -1, "swap.sta": -1, "+0000001": -1, "0X000001": -1, "0000_001": -1} {
		n, ok := parseNumber(name)
		if ok != (want >= 0) || ok && n != want {
			t.Errorf("%s: %d, %v; want %d", name, n, ok, want)
		}
	}
}

// TestSwapStatePath: forms and paths as 2.6 made them.
func TestSwapStatePath(t *testing.T) {
	for _, c := range []struct {
		form, dir string
		index     int
		want      string
	}{
		{"", "/var/spool/squid", 0, "/var/spool/squid/swap.state"},
		{"/r/log", "/r/c/d", 0, "/r/log.00"},
		{"/r/log", "/r/e", 1, "/r/log.01"},
		{"/r/x.%s.y", "/tmp/r/c/d", 0, "/r/x.tmp.r.c.d.y"},
		{"/r/%s.y", "/tmp/r/c/d/", 0, "/r/tmp.r.c.d.y"},
		{"/r/%s", "/tmp/.r//.d/./", 0, "/r/tmp..r...d"},
		{"/r/%d", "/tmp/r/c/d", 12, "/r/%d.12"}, // 2.6 gives this to printf
	} {
		if got := SwapStatePath(c.form, c.dir, c.index); got != c.want {
			t.Errorf("%q for %s: %s, want %s", c.form, c.dir, got, c.want)
		}
	}
}
