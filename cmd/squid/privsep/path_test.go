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

// Whoever took the serving process over may put a link in the place of a folder of
// his: nothing behind it is renamed, removed, written or made.
func TestReplacedFolderLeadsNowhere(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	own, err := os.MkdirTemp("/run", "rootpath")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(own)
	in := func(name string) string { return filepath.Join(own, name) }
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(os.MkdirAll(in("var/logs"), 0o755))
	do(os.Mkdir(in("precious"), 0o700))
	do(os.Chown(in("var"), 65534, 65534))
	do(os.Chown(in("var/logs"), 65534, 65534))
	do(os.WriteFile(in("var/logs/access.log"), []byte("lines"), 0o640))
	holds := func(names ...string) string {
		var b strings.Builder
		for _, name := range names {
			text, err := os.ReadFile(in(name))
			b.WriteString(name + ":" + string(text))
			if err != nil {
				b.WriteString("absent")
			}
			b.WriteString(" ")
		}
		return b.String()
	}
	do(renameAsRoot(in("var/logs/access.log"), in("var/logs/access.log.0")))
	do(WritePid(in("var/logs/squid.pid"), 42))
	if got := holds("var/logs/access.log.0", "var/logs/squid.pid"); got != "var/logs/access.log.0:lines var/logs/squid.pid:42\n " {
		t.Errorf("before: %s", got)
	}
	do(RemovePid(in("var/logs/squid.pid"), 42))
	precious := []string{"precious/access.log", "precious/access.log.0", "precious/squid.pid", "precious/new.pid"}
	for _, name := range precious[:3] {
		do(os.WriteFile(in(name), []byte("42\n"), 0o600))
	}
	before := holds(precious...)
	do(os.Rename(in("var/logs"), in("var/aside")))
	do(os.Symlink(in("precious"), in("var/logs")))
	for _, f := range []func() error{
		func() error { return renameAsRoot(in("var/logs/access.log"), in("var/logs/access.log.0")) },
		func() error { return renameAsRoot(in("var/aside/access.log.0"), in("var/logs/access.log.1")) }, // two folders
		func() error { return WritePid(in("var/logs/squid.pid"), 42) },
		func() error { return WritePid(in("var/logs/new.pid"), 42) },
		func() error { _, err := openAsRoot(in("var/logs/access.log"), os.O_WRONLY, 0); return err },
	} {
		if f() == nil {
			t.Error("granted")
		}
	}
	RemovePid(in("var/logs/squid.pid"), 42)
	if after := holds(precious...); after != before {
		t.Errorf("%s\nbefore %s", after, before)
	}
}
