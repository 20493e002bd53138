package helper

import (
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

func TestGroup(t *testing.T) {
	self, _ := os.Executable()
	var g Group
	options := func(name, manner string) Options {
		p := program(manner)
		p[0] = self
		return Options{Name: name, Program: p, Children: 2, Log: zap.NewNop()}
	}
	first, second := g.Start(options("first", "echo")), g.Start(options("second", "deaf"))
	if _, err := first.Ask(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Pool{first, second} {
		eventually(t, "all processes run", func() bool { return len(p.Stats().Children) == 2 })
	}
	var b strings.Builder
	if err := WriteText(&b, g.Stats()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first: " + self, "processes 2 of 2, questions 1, answers 1, refused 0, restarts 0, waiting 0 (most 0)", "idle", "second: "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	first.Close()
	first.Wait()
	if list := g.Stats(); len(list) != 1 || list[0].Name != "second" {
		t.Errorf("%+v", list)
	}
	g.Start(options("third", "echo"))
	if len(g.pools) != 2 {
		t.Errorf("%d pools are kept", len(g.pools))
	}
	second.mu.Lock()
	pids := []int{second.children[0].proc.Pid(), second.children[1].proc.Pid()}
	second.mu.Unlock()
	g.End(time.Millisecond)
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d outlives the group", pid)
		}
	}
	b.Reset()
	if WriteText(&b, g.Stats()); b.String() != "no helper programs are configured\n" {
		t.Error(b.String())
	}
}
