package conf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// explained writes files into a folder, loads main.conf there, and gives what is
// said about it, with the folder's name taken out.
func explained(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "DIR", dir)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, report := Load(filepath.Join(dir, "main.conf"), Options{Lint: true, World: Offline{}})
	var out strings.Builder
	report.Explain(&out, false)
	return strings.ReplaceAll(out.String(), dir+"/", "")
}

// TestPlaces: what is wrong in a list file or an included file has the place in
// that file, with its line, and stands where the main file names it.
func TestPlaces(t *testing.T) {
	const begin, end = "acl all src 0/0\nhttp_port 3128\nvisible_hostname a.b\n", "http_access deny all\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a value that refuses the file", map[string]string{
			"main.conf": begin + "acl p port \"DIR/ports\"\nhttp_access deny p\n" + end,
			"ports":     "80\n# comment\n  8o8 # hm\n"},
			"ports:3:3: error: acl: \"8o8\" is not a decimal number\n      8o8 # hm\n      ^~~\n    The file is named in main.conf:4:1.\n" +
				"main.conf:5:18: error: http_access: acl p is not defined in front of this line\n    http_access deny p\n                     ^\n" +
				"    Its definition (main.conf:4:1) is refused; this follows from it.\n2 errors, 0 warnings, 0 uses of extensions, 0 without effect\n"},
		{"a pattern that is skipped", map[string]string{
			"main.conf": begin + "acl r url_regex \"DIR/re\"\nhttp_access deny r\n" + end,
			"re":        "^a\n(x\n"},
			"re:2:1: warning: the pattern is skipped: Unmatched ( or \\(\n    (x\n    ^~\n0 errors, 1 warnings, 0 uses of extensions, 0 without effect\n"},
		{"a line longer than what is read at once", map[string]string{
			"main.conf": begin + "acl p port \"DIR/ports\"\n",
			"ports":     strings.Repeat(" ", 300) + "x\n"},
			"ports:1:301: error: acl: \"x\" is not a decimal number\n" + "    " + strings.Repeat(" ", 45) + "x\n    " + strings.Repeat(" ", 45) + "^\n" +
				"    The file is named in main.conf:4:1.\n1 errors, 0 warnings, 0 uses of extensions, 0 without effect\n"},
		{"included files, in their place and order", map[string]string{
			"main.conf": begin + "include DIR/b DIR/a\nvia yes\n" + end,
			"a":         "foo\n",
			"b":         "acl never src 1.2.3.4\n# x\n# y\n# z\n# z\n# z\nbar\n"},
			"b:1:5: warning: acl never is defined and never used\n    acl never src 1.2.3.4\n        ^~~~~\n" +
				"b:7:1: error: unknown directive \"bar\"\n    bar\n    ^~~\n" +
				"a:1:1: error: unknown directive \"foo\"\n    foo\n    ^~~\n" +
				"main.conf:5:5: warning: \"yes\" reads as off\n    via yes\n        ^~~\n    Only on and enable turn a switch on.\n    did you mean \"on\"?\n" +
				"2 errors, 2 warnings, 1 uses of extensions, 0 without effect\n"},
	} {
		if got := explained(t, c.files); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestOddBytes: what 2.6 reads in a way of its own is told with its place, in the
// main file and in included ones; the verdict stays 2.6's.
func TestOddBytes(t *testing.T) {
	const begin, end = "acl all src 0/0\nhttp_port 3128\nvisible_hostname a.b\n", "http_access deny all\n"
	for _, c := range []struct {
		name, main, included, want string
	}{
		{"CR LF", strings.ReplaceAll(begin+end, "\n", "\r\n"), "", "main.conf:1:16: warning: 4 lines end in CR and LF"},
		{"NUL", begin + "via o\x00ff\n" + end, "", "main.conf:4:6: warning: there is a NUL byte"},
		{"CR inside", begin + "via\roff\n" + end, "", "main.conf:4:4: warning: there is a CR inside the line"},
		{"BOM", "\xef\xbb\xbf" + begin + end, "", "main.conf:1:1: error: unknown directive"},
		{"an over-long comment", begin + end + "#" + strings.Repeat("x", 9000) + "\n", "", "main.conf:6:1: warning: the line in front is longer than 8191 bytes"},
		{"an over-long line", begin + end + "acl d dstdomain" + strings.Repeat(" .a.b", 2000) + "\n", "", "main.conf:6:1: warning: the line in front is longer"},
		{"CR LF in an included file", begin + "include DIR/inc\n" + end, "via on\r\n", "inc:1:7: warning: 1 lines end in CR and LF"},
		{"NUL in an included file", begin + "include DIR/inc\n" + end, "# x\nvia on\x00\n", "inc:2:7: warning: there is a NUL byte"},
		{"a file that includes itself", begin + "include DIR/inc\n" + end, "\ninclude DIR/inc\n", "inc:2:9: error: include: inc includes itself"},
		{"a loop over the main file", begin + "include DIR/inc\n" + end, "include DIR/main.conf\n", "inc:1:9: error: include: main.conf includes itself\n    include main.conf\n            ^"},
		{"a folder", begin + "include DIR\n" + end, "", "main.conf:4:9: error: include: "},
		{"no file", begin + "include DIR/none\n" + end, "", "main.conf:4:9: error: include: none cannot be opened: (2) No such file or directory"},
	} {
		got := explained(t, map[string]string{"main.conf": c.main, "inc": c.included})
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: nothing says %q:\n%s", c.name, c.want, got)
		}
	}
}

// TestListFileNotRead: a list file that is missing or a folder is a warning with the place, as in 2.6.
func TestListFileNotRead(t *testing.T) {
	got := explained(t, map[string]string{"main.conf": "acl all src 0/0\nhttp_port 3128\nvisible_hostname a.b\nacl p port \"DIR/none\"\nacl q port \"DIR\"\nhttp_access deny p q\nhttp_access deny all\n"})
	for _, want := range []string{"main.conf:4:12: warning: the list file cannot be read: open none: no such file", "main.conf:4:5: warning: acl p has no value", "main.conf:5:12: warning: the list file cannot be read: read "} {
		if !strings.Contains(got, want) {
			t.Errorf("nothing says %q:\n%s", want, got)
		}
	}
}

// TestIncludeDepth: sixteen files may include one another, seventeen not.
func TestIncludeDepth(t *testing.T) {
	chain := func(n int) *Report {
		files := map[string]string{fmt.Sprint(n): "via off\n"}
		for i := range n {
			files[fmt.Sprint(i)] = fmt.Sprintf("include lists/%d\n", i+1)
		}
		_, report := LoadText("squid.conf", []byte(head+"include lists/1\n"), Options{World: oracle(t).with(files)})
		return report
	}
	if r := chain(maxIncludeDepth); r.Exit != 0 || len(r.Given) != 2+maxIncludeDepth+1 {
		t.Errorf("%d deep: exit %d, %d lines, %v", maxIncludeDepth, r.Exit, len(r.Given), r.Lines)
	}
	if r := chain(maxIncludeDepth + 1); r.Exit == 0 || !strings.Contains(explanation(r), "lists/16:1:9: error: include: include is nested more than 16 deep") {
		t.Errorf("%d deep: exit %d\n%s", maxIncludeDepth+1, r.Exit, explanation(r))
	}
}
