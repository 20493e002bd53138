package arena

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPagesAreHandedOutUpToTheLimit(t *testing.T) {
	a := New(3*PageSize + 17)
	defer a.Close()
	seen := map[Page]bool{}
	for range 3 {
		p, ok := a.Alloc()
		if !ok || p == 0 || seen[p] {
			t.Fatalf("page %d, %v", p, ok)
		}
		seen[p] = true
	}
	if p, ok := a.Alloc(); ok {
		t.Fatalf("page %d is beyond the limit", p)
	}
	if a.Excess(1) != 1 || a.Excess(0) != 0 {
		t.Errorf("excess %d and %d", a.Excess(1), a.Excess(0))
	}
	lent, ok := a.Lend()
	if !ok {
		t.Fatal("no page is lent")
	}
	a.Release(lent)
	for p := range seen {
		a.Release(p)
	}
	if u := a.Use(); u.Used != 0 || u.Limit != 3 {
		t.Errorf("%+v", u)
	}
}

func TestChainsShareTheirEnds(t *testing.T) {
	a := New(10 * PageSize)
	defer a.Close()
	page := func() Page {
		p, ok := a.Alloc()
		if !ok {
			t.Fatal("no page")
		}
		return p
	}
	head, middle, end := page(), page(), page()
	a.Link(middle, end)
	a.Link(head, middle)
	other := page()
	a.Share(middle)
	a.Link(other, middle)
	if next, ok := a.Next(other); next != middle || !ok {
		t.Errorf("behind the second head is %d, %v", next, ok)
	}
	a.Release(head)
	if u := a.Use(); u.Used != 3 {
		t.Errorf("%d pages after the first chain went", u.Used)
	}
	a.Release(other)
	if u := a.Use(); u.Used != 0 {
		t.Errorf("%d pages after both went", u.Used)
	}
}

// A link to a page that belongs to another by now is recognised.
func TestGenerationsTellPagesApart(t *testing.T) {
	a := New(2 * PageSize)
	defer a.Close()
	p, _ := a.Alloc()
	next, _ := a.Alloc()
	a.Link(p, next)
	before := a.Generation(next)
	a.Release(next) // whoever does that has a fault
	again, _ := a.Alloc()
	if again != next || a.Generation(again) == before || a.Generation(again)%2 != 1 {
		t.Fatalf("page %d, generation %d after page %d, generation %d", again, a.Generation(again), next, before)
	}
	if _, ok := a.Next(p); ok {
		t.Error("a link leads to a page that is another's")
	}
}

func TestDropGivesTheRestToTheCaller(t *testing.T) {
	a := New(4 * PageSize)
	defer a.Close()
	p, _ := a.Alloc()
	next, _ := a.Alloc()
	a.Link(p, next)
	if got := a.Drop(p); got != next {
		t.Errorf("behind it was %d, not %d", got, next)
	}
	if u := a.Use(); u.Used != 1 {
		t.Errorf("%d pages are left", u.Used)
	}
}

func TestFreedPagesArePoisoned(t *testing.T) {
	a := New(4 * PageSize)
	defer a.Close()
	a.SetPoison(true)
	p, _ := a.Alloc()
	b := a.Bytes(p)
	copy(b, "what a reader must not see any more")
	a.Release(p)
	if !bytes.Equal(b, bytes.Repeat([]byte{Poison}, PageSize)) {
		t.Errorf("a freed page begins with %q", b[:16])
	}
}

// Any order of calls keeps the books and the bytes of every page.
func TestPagesKeepTheirBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := New(64 * PageSize)
		defer a.Close()
		a.SetPoison(true)
		limit := 64
		type held struct {
			page Page
			mark byte
		}
		var have []held
		mark := byte(0)
		t.Repeat(map[string]func(*rapid.T){
			"alloc": func(t *rapid.T) {
				p, ok := a.Alloc()
				if ok != (len(have) < limit) {
					t.Fatalf("%d of %d pages in use, another: %v", len(have), limit, ok)
				}
				if !ok {
					return
				}
				mark++
				b := a.Bytes(p)
				for i := range b {
					b[i] = mark
				}
				have = append(have, held{p, mark})
			},
			"release": func(t *rapid.T) {
				if len(have) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(have)-1).Draw(t, "which")
				a.Release(have[i].page)
				have = append(have[:i], have[i+1:]...)
			},
			"limit": func(t *rapid.T) {
				limit = rapid.IntRange(0, 80).Draw(t, "limit")
				a.SetLimit(int64(limit) * PageSize)
			},
			"": func(t *rapid.T) {
				if u := a.Use(); u.Used != len(have) || a.Excess(0) != max(len(have)-limit, 0) {
					t.Fatalf("%+v with %d pages held", u, len(have))
				}
				for _, h := range have {
					b := a.Bytes(h.page)
					if b[0] != h.mark || b[PageSize-1] != h.mark {
						t.Fatalf("page %d holds %d, not %d", h.page, b[0], h.mark)
					}
				}
			},
		})
	})
}

// resident is the process's resident memory in bytes.
func resident(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Fscan(strings.NewReader(string(text)), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// What a lower limit frees goes back to the kernel.
func TestMemoryGoesBack(t *testing.T) {
	if raceEnabled {
		t.Skip("pages come from Go's heap")
	}
	const size = 64 << 20
	a := New(size)
	defer a.Close()
	var pages []Page
	for {
		p, ok := a.Alloc()
		if !ok {
			break
		}
		a.Bytes(p)[0] = 1
		pages = append(pages, p)
	}
	full := resident(t)
	for _, p := range pages {
		a.Release(p)
	}
	a.SetLimit(0)
	if now := resident(t); full-now < size*9/10 {
		t.Errorf("%d MB resident before, %d MB after", full>>20, now>>20)
	}
	runtime.KeepAlive(a)
}
