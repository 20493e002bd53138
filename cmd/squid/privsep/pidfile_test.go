package privsep

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestPidFileIsReplacedAndOnlyOursRemoved(t *testing.T) {
	dir := t.TempDir()
	path, precious := filepath.Join(dir, "squid.pid"), filepath.Join(dir, "precious")
	os.WriteFile(precious, []byte("keep me"), 0o644)
	if err := os.Symlink(precious, path); err != nil {
		t.Fatal(err)
	}
	if err := WritePid(path, 4711); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(precious); string(data) != "keep me" {
		t.Errorf("the link was followed: %q", data)
	}
	if data, _ := os.ReadFile(path); string(data) != "4711\n" {
		t.Errorf("pid file holds %q", data)
	}
	if err := RemovePid(path, 4712); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("another copy's pid file was removed")
	}
	if err := RemovePid(path, 4711); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("our pid file is still there")
	}
	if err := WritePid(filepath.Join(dir, "absent", "squid.pid"), 1); err == nil {
		t.Error("no error for a folder that is not there")
	}
}

// Whoever asks for the copy while its pid file is written anew, as a reconfigure does,
// finds it.
func TestPidFileIsNeverAbsent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "squid.pid")
	if err := WritePid(path, 4711); err != nil {
		t.Fatal(err)
	}
	written := make(chan error)
	go func() {
		var err error
		for range 200 {
			err = errors.Join(err, WritePid(path, 4711))
		}
		written <- err
	}()
	for {
		if text, err := PidText(path); text != "4711\n" || err != nil {
			t.Fatalf("%q, %v", text, err)
		}
		select {
		case err := <-written:
			if err != nil {
				t.Error(err)
			}
			if all, err := os.ReadDir(filepath.Dir(path)); len(all) != 1 || err != nil {
				t.Errorf("%v, %v", all, err)
			}
			return
		default:
		}
	}
}
