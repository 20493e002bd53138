package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestDamagedDirectory: whatever happens to the files of a cache_dir between two runs of
// the whole proxy, each request is answered, whole, with octets of its URL. (2.6's
// format has no checksums: noise is told only where it hits what the swap header says.)
func TestDamagedDirectory(t *testing.T) {
	rounds, objects := 1, 30
	if os.Getenv("CUTTLE_FULL") != "" {
		rounds = 10
	}
	c := newCached(t)
	origin := newVersioned(t)
	c.configure("maximum_object_size_in_memory 8 KB", "cache_mem 1 MB", "minimum_expiry_time 0 seconds")
	if status, out := c.run("-z"); status != 0 {
		t.Fatalf("-z: %d %q", status, out)
	}
	damages := []struct {
		name   string
		damage func(files []string)
		some   bool // something is a hit all the same
	}{
		{"nothing", func([]string) {}, true},
		{"files cut", each(func(data []byte) []byte { return data[:rand.IntN(len(data))] }), true},
		{"files longer", each(func(data []byte) []byte { return append(data, "and more"...) }), true},
		{"noise at the beginning of files", each(func(data []byte) []byte { return append(noise(80), data[80:]...) }), true},
		{"noise in place of files", each(func(data []byte) []byte { return noise(len(data)) }), true},
		{"files exchanged", func(files []string) {
			for i := 0; i+1 < len(files); i += 4 {
				os.Rename(files[i], files[i]+"x")
				os.Rename(files[i+1], files[i])
				os.Rename(files[i]+"x", files[i+1])
			}
		}, true},
		{"files removed", func(files []string) {
			for i := 0; i < len(files); i += 2 {
				os.Remove(files[i])
			}
		}, true},
		{"swap.state cut", c.onState(func(data []byte) []byte { return data[:len(data)/2+5] }), true},
		{"swap.state of noise", c.onState(func(data []byte) []byte { return append(data[:72:72], noise(len(data)-72)...) }), false},
		{"swap.state twice", c.onState(func(data []byte) []byte { return append(data, data...) }), true},
		{"swap.state in no order", c.onState(func(data []byte) []byte {
			records := data[72:]
			for i := 0; i+144 <= len(records); i += 144 {
				first := bytes.Clone(records[i : i+72])
				copy(records[i:], records[i+72:i+144])
				copy(records[i+72:], first)
			}
			return data
		}), true},
		{"swap.state removed", func([]string) { os.Remove(c.in("swap/swap.state")) }, true},
		{"swap.state empty", c.onState(func([]byte) []byte { return nil }), false},
	}
	get := func(i int) bool {
		hit, err := origin.ask(c.port, "GET", fmt.Sprintf("/%d", i), "", func() bool { return false })
		if err != nil {
			t.Error(err)
		}
		return hit
	}
	for range rounds {
		for at, d := range damages {
			os.Remove(c.in("cache.log"))
			cmd := c.begin()
			c.indexed()
			hits := 0
			for i := range objects {
				if get(i) {
					hits++
				}
			}
			if name := damages[(at+len(damages)-1)%len(damages)].name; at > 0 && damages[at-1].some && hits == 0 {
				t.Errorf("after %s nothing was found", name)
			}
			c.until("all is on disk", func() bool { files, _ := filepath.Glob(c.in("swap/??/??/*")); return len(files) >= objects })
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
			files, _ := filepath.Glob(c.in("swap/??/??/*"))
			d.damage(files)
			if t.Failed() {
				t.Fatalf("before %s", d.name)
			}
		}
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.IntN(256))
	}
	return b
}

// each changes every third file.
func each(change func([]byte) []byte) func([]string) {
	return func(files []string) {
		for i := 0; i < len(files); i += 3 {
			if data, err := os.ReadFile(files[i]); err == nil && len(data) > 80 {
				os.WriteFile(files[i], change(data), 0o644)
			}
		}
	}
}

func (c *cached) onState(change func([]byte) []byte) func([]string) {
	return func([]string) {
		c.t.Helper()
		data, err := os.ReadFile(c.in("swap/swap.state"))
		if err == nil {
			err = os.WriteFile(c.in("swap/swap.state"), change(data), 0o644)
		}
		if err != nil {
			c.t.Error(err)
		}
	}
}
