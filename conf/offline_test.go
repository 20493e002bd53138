package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestHostsFile: names are found as the C library finds them in a hosts file.
func TestHostsFile(t *testing.T) {
	hosts := filepath.Join(t.TempDir(), "hosts")
	text := "# comment\n127.0.0.1\tlocalhost\n192.0.2.1 gate.example.com gate # the router\n192.0.2.2 GATE\n2001:db8::1 six gate\nnonsense here\n192.0.2.3\n"
	if err := os.WriteFile(hosts, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	w := Offline{Hosts: hosts}
	for host, want := range map[string]string{"localhost": "[127.0.0.1]", "gate": "[192.0.2.1 192.0.2.2]", "Gate.Example.com": "[192.0.2.1]", "six": "[]", "comment": "[]", "nosuch": "[]"} {
		if got := fmt.Sprint(w.Addresses(host)); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	for addr, want := range map[string]string{"192.0.2.1": "gate.example.com", "2001:db8::1": "six", "192.0.2.9": ""} {
		if got := w.NameOf(ip(addr)); got != want {
			t.Errorf("%s: %q, want %q", addr, got, want)
		}
	}
	if got := (Offline{Hosts: "/nosuch"}).Addresses("localhost"); got != nil {
		t.Errorf("without a hosts file: %v", got)
	}
}

// TestErrorText: errors of the system read as they do in 2.6's lines.
func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT}, "(2) No such file or directory"},
		{fs.ErrNotExist, "(2) No such file or directory"},
		{syscall.EACCES, "(13) Permission denied"},
		{fmt.Errorf("opening: %w", syscall.EISDIR), "(21) Is a directory"},
		{syscall.ENXIO, "(6) No such device or address"},
		{errors.New("it is a device"), "it is a device"},
	} {
		if got := ErrorText(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// TestUsersAndFiles: the machine is asked, not remembered.
func TestUsersAndFiles(t *testing.T) {
	w, dir := Offline{}, t.TempDir()
	if !w.UserExists("root") || w.UserExists("nosuchuser") || !w.GroupExists("root") || w.GroupExists("nosuchgroup") {
		t.Error("root is a user and a group, nosuch is none")
	}
	for _, name := range []string{"b.conf", "a.conf", "c.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.Glob(dir + "/*.conf"); !slices.Equal(got, []string{dir + "/a.conf", dir + "/b.conf"}) {
		t.Errorf("files in their order: %q", got)
	}
	if got := w.Glob(dir + "/[.conf"); got != nil {
		t.Errorf("a pattern that is none: %q", got)
	}
	if w.Stat(dir) != nil || w.Stat(dir+"/nosuch") == nil {
		t.Error("what is there is there")
	}
}
