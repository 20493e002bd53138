package main

import (
	"slices"
	"testing"
)

// What a module needs is loaded before it, once.
func TestModulesInOrder(t *testing.T) {
	const list = "k/table.ko: k/nat.ko k/track.ko k/defrag.ko\nk/other.ko:\nk/redirect.ko: k/nat.ko k/track.ko k/defrag.ko k/ports.ko\nk/nat.ko: k/track.ko k/defrag.ko\n"
	got := dependencies(list, "table", "redirect")
	before := func(a, b string) {
		if at, then := slices.Index(got, "k/"+a+".ko"), slices.Index(got, "k/"+b+".ko"); at < 0 || then < at {
			t.Errorf("%s is not before %s: %v", a, b, got)
		}
	}
	before("defrag", "track")
	before("track", "nat")
	before("nat", "table")
	before("nat", "redirect")
	before("ports", "redirect")
	if slices.Contains(got, "k/other.ko") || len(got) != 6 {
		t.Errorf("%v", got)
	}
}
