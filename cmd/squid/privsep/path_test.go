package privsep

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A world as root sees it: folders of root's, one that others may write, and
// links in both. The temporary folder of tests belongs to others itself, so the
// trusted part lies under a folder of root's own.
func TestOpenAsRootFollowsOnlyRootsLinks(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	own, err := os.MkdirTemp("/run", "rootpath")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(own)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(own, name) }
	do(os.Mkdir(in("logs"), 0o755))
	do(os.Mkdir(in("theirs"), 0o755))
	do(os.Mkdir(in("theirs/sub"), 0o755))
	for _, name := range []string{"secret", "logs/plain", "theirs/plain", "theirs/sub/plain"} {
		do(os.WriteFile(in(name), []byte(name), 0o600))
	}
	do(os.Symlink("plain", in("logs/relative")))
	do(os.Symlink(in("logs"), in("elsewhere")))
	do(os.Symlink("../logs", in("logs/up")))
	do(os.Symlink("loop", in("loop")))
	do(os.Symlink(in("secret"), in("theirs/link")))
	do(os.Symlink(own, in("theirs/folder")))
	do(os.Link(in("secret"), in("theirs/second")))
	do(syscall.Mkfifo(in("logs/fifo"), 0o600))
	do(os.Chown(in("theirs"), 65534, 65534))

	for name, want := range map[string]string{
		"logs/plain": "logs/plain", "logs/relative": "logs/plain", "elsewhere/plain": "logs/plain",
		"logs/up/up/plain": "logs/plain", "logs//./plain": "logs/plain",
		"theirs/plain": "theirs/plain", "theirs/sub/plain": "theirs/sub/plain",
		"theirs/link": "", "theirs/folder/secret": "", "theirs/second": "", // pointed elsewhere by others
		"logs/fifo": "", "logs": "", "loop": "", "absent": "", "": "", "logs/": "",
	} {
		path := in(name)
		if strings.HasSuffix(name, "/") || strings.Contains(name, "//") {
			path = own + "/" + name // as written
		}
		f, err := openAsRoot(path, os.O_RDONLY, 0)
		got := ""
		if err == nil {
			text := make([]byte, 64)
			n, _ := f.Read(text)
			got = string(text[:n])
			f.Close()
		}
		if got != want {
			t.Errorf("%s: opened %q (%v), want %q", name, got, err, want)
		}
	}
	if _, err := openAsRoot("etc/passwd", os.O_RDONLY, 0); !errors.Is(err, syscall.EACCES) {
		t.Errorf("a path without a root: %v", err)
	}
	f, err := openAsRoot(in("logs/new"), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		t.Fatalf("a log that is not there yet: %v", err)
	}
	f.Close()
}
