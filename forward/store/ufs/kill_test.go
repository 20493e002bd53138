package ufs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// victimDir names the environment variable that makes the test binary write in a
// directory until it is killed; killsWanted the one for more kills than usual.
const (
	victimDir   = "CUTTLE_UFS_VICTIM"
	killsWanted = "CUTTLE_UFS_KILLS"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimDir); dir != "" {
		victim(dir)
	}
	os.Exit(m.Run())
}

// victim stores, deletes and rotates until it is killed. It tells on standard output
// what it is about to do and what it has done, one line each: "+" a store begins, "="
// it is durable, "-" a deletion begins.
func victim(dir string) {
	d, err := Open(Options{Path: dir, L1: 2, L2: 2})
	if err != nil {
		panic(err)
	}
	x := simpleIndex{d: d, entries: map[Key]*Record{}}
	if _, err := d.Rebuild(context.Background(), x.sink()); err != nil {
		panic(err)
	}
	var mu sync.Mutex
	say := func(what string, o *object) {
		fmt.Printf("%s %s %d %d %v\n", what, o.url, o.version, o.size, o.unknown)
	}
	for g := range 4 {
		go func() {
			for {
				o := &object{url: fmt.Sprintf("http://%d/%d", g, rand.IntN(4)), version: rand.IntN(1000), size: rand.IntN(20000), unknown: rand.IntN(2) == 0}
				mu.Lock()
				old := x.entries[o.key()]
				mu.Unlock()
				if old != nil {
					say("-", o) // before a Rewrite can miss it
					mu.Lock()
					delete(x.entries, o.key())
					mu.Unlock()
					d.Delete(old)
					if err := d.Unlink(old.Number); err != nil {
						panic(err)
					}
				}
				say("+", o)
				_, err := storeWith(d, o, func(rec *Record) { mu.Lock(); x.entries[rec.Key] = rec; mu.Unlock() })
				if err != nil {
					panic(err)
				}
				if rand.IntN(2) == 0 {
					if err := d.Flush(); err != nil {
						panic(err)
					}
					say("=", o)
				}
			}
		}()
	}
	for {
		err := d.Rewrite(func(yield func(*Record) bool) {
			mu.Lock()
			all := slices.Collect(maps.Values(x.entries))
			mu.Unlock()
			for _, rec := range all {
				if !yield(rec) {
					return
				}
			}
		}, false)
		if err != nil {
			panic(err)
		}
	}
}

// told is what a victim told of one URL.
type told struct {
	maybe   map[string]bool // replies that may be there
	durable string          // the one that must be, or ""
}

// TestKilled: processes that write with several goroutines and rotate are killed at
// random moments; each next one starts on what the one before has left.
func TestKilled(t *testing.T) {
	kills := 12
	if more, err := strconv.Atoi(os.Getenv(killsWanted)); err == nil {
		kills = more
	}
	o := newDir(t)
	world := map[string]*told{}
	opened := 0
	for range kills {
		hear(t, o.Path, world, 20+rand.IntN(400))
		opened += checkKilled(t, o, world)
	}
	if opened < kills {
		t.Errorf("%d objects in all after %d kills", opened, kills)
	}
}

// hear starts a victim, kills it after so many lines, and reads what it told.
func hear(t *testing.T, dir string, world map[string]*told, lines int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victimDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(out)
	for i := 0; scan.Scan(); i++ {
		if i == lines {
			cmd.Process.Kill()
		}
		var what string
		var o object
		if _, err := fmt.Sscan(scan.Text(), &what, &o.url, &o.version, &o.size, &o.unknown); err != nil {
			t.Fatalf("%q: %v", scan.Text(), err)
		}
		w := world[o.url]
		if w == nil {
			w = &told{maybe: map[string]bool{}}
			world[o.url] = w
		}
		switch what {
		case "-":
			w.durable = ""
		case "+":
			w.durable = ""
			clear(w.maybe) // the deletion before it has ended
			w.maybe[string(o.reply())] = true
		case "=":
			w.durable = string(o.reply())
		}
	}
	cmd.Wait()
}

// checkKilled starts on what is left, ends at once, and gives how many objects it read.
func checkKilled(t *testing.T, o Options, world map[string]*told) (opened int) {
	t.Helper()
	d := mustOpen(t, o)
	index, _ := mustRebuild(t, d)
	for url, w := range world {
		rec := index[(&object{url: url}).key()]
		reply, err := "", fs.ErrNotExist
		if rec != nil {
			reply, err = readReply(d, rec)
		}
		switch {
		case err == nil && !w.maybe[reply]:
			t.Errorf("%s reads as %.80q", url, reply)
		case err != nil && w.durable != "", err == nil && w.durable != "" && reply != w.durable:
			t.Errorf("%s is lost: %v", url, err)
		case err != nil && !errors.Is(err, ErrMismatch) && !errors.Is(err, fs.ErrNotExist):
			t.Error(err)
		case err == nil:
			opened++
		}
		w.maybe, w.durable = map[string]bool{}, ""
		if err == nil {
			w.maybe[reply], w.durable = true, reply
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	return opened
}
