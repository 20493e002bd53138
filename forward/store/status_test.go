package store

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestStatus(t *testing.T) {
	c := memoryOnly()
	c.Dirs = []DirConfig{ufsDir(t, 10<<20)}
	s := rebuilt(t, open(t, c))
	s.put(t, docOf(1, 1000))
	var r Reader
	for _, n := range []int{1, 1, 1, 2} { // three hits and a miss
		if found := s.find(docOf(n, 1000), &r); found != Miss {
			r.Close()
		}
	}
	eventually(t, "it is on disk", func() bool { return s.Stats().Dirs[0].Objects == 1 })
	st := s.Stats()
	st.Joining, st.JoiningBytes = 2, 1025 // as package caching counts them
	var text, js bytes.Buffer
	if err := st.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"objects: 1, 1 of them in memory; 0 more", "75.0% hits (3 in memory, 0 on disk), 1 misses",
		"cache_dir " + c.Dirs[0].Path + ": 1 objects, 4 of 10240 KB, in use\n", "1 begun, 1 stored, 0 aborted",
		"parts: 2 bodies are not whole yet, 2 KB of memory"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	if err := st.WriteJSON(&js); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Objects, MemoryHits, Misses int
		Joining, JoiningBytes       int
		HitRatio                    float64
		Dirs                        []DirStats
	}
	if err := json.Unmarshal(js.Bytes(), &got); err != nil || got.Objects != 1 || got.MemoryHits != 3 || got.Joining != 2 || got.JoiningBytes != 1025 || got.Misses != 1 || got.HitRatio != 0.75 || len(got.Dirs) != 1 || got.Dirs[0].Objects != 1 {
		t.Errorf("%+v, %v in %s", got, err, &js)
	}
}

func TestDirStates(t *testing.T) {
	for _, c := range []struct {
		d    DirStats
		want string
	}{
		{DirStats{}, "being rebuilt"},
		{DirStats{Rebuilt: true}, "in use"},
		{DirStats{Rebuilt: true, ReadOnly: true}, "in use, read-only"},
		{DirStats{Rebuilt: true, TakenOut: true}, "taken out (cache.log says why)"},
	} {
		if got := c.d.state(); got != c.want {
			t.Errorf("%+v: %q", c.d, got)
		}
	}
	var none Stats
	var text bytes.Buffer
	if none.WriteText(&text); !strings.Contains(text.String(), "0.0% hits") || !strings.Contains(text.String(), "cache_dir: none") {
		t.Errorf("%s", &text)
	}
}
