package conf

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// plainTree is the tree of 2.6 as a textbook has it: nodes with pointers, and every
// value compared as text.
type plainTree struct {
	root *plainNode
	b    *builder
}

type plainNode struct {
	value       string
	left, right *plainNode
}

func (s *plainTree) compare(fresh, old string) int {
	narrow, wide := old, fresh
	at := CompareDomain(narrow, wide)
	if at != 0 {
		narrow, wide = fresh, old
		at = CompareDomain(narrow, wide)
	}
	if at == 0 {
		s.b.overlap("domain", narrow, wide, fresh)
	}
	return at
}

func (s *plainTree) insert(value string) bool {
	node := &plainNode{value: value}
	if s.root == nil {
		s.root = node
		return true
	}
	var order int
	s.root, order = s.bring(s.root, value)
	switch old := s.root; {
	case order < 0:
		node.left, node.right, old.left = old.left, old, nil
	case order > 0:
		node.right, node.left, old.right = old.right, old, nil
	default:
		return false
	}
	s.root = node
	return true
}

func (s *plainTree) bring(top *plainNode, value string) (*plainNode, int) {
	var frame plainNode
	smaller, larger := &frame, &frame
	order := 0
walk:
	for {
		order = s.compare(value, top.value)
		switch {
		case order < 0 && top.left != nil:
			if order = s.compare(value, top.left.value); order < 0 {
				child := top.left
				top.left, child.right = child.right, top
				if top = child; top.left == nil {
					break walk
				}
			}
			larger.left, larger, top = top, top, top.left
		case order > 0 && top.right != nil:
			if order = s.compare(value, top.right.value); order > 0 {
				child := top.right
				top.right, child.left = child.left, top
				if top = child; top.right == nil {
					break walk
				}
			}
			smaller.right, smaller, top = top, top, top.right
		default:
			break walk
		}
	}
	smaller.right, larger.left = top.left, top.right
	top.left, top.right = frame.right, frame.left
	return top, order
}

// With hashes in front, and with the tree made late, the same values are kept and the
// same is said as when each goes into the tree; of a long list's values one that each
// overlaps.
func TestDomainTreeModel(t *testing.T) {
	label := rapid.SampledFrom([]string{"a", "b", "com", "a-b", "longer-than-eight", "a!b", ""})
	value := rapid.Custom(func(t *rapid.T) string {
		name := strings.Join(rapid.SliceOfN(label, 1, 4).Draw(t, "labels"), ".")
		return rapid.SampledFrom([]string{"", "", ".", "."}).Draw(t, "dot") + name
	}).Filter(func(s string) bool { return s != "" })
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		plainOnly := rapid.Bool().Draw(t, "plain")
		var list Domains
		b, modelB := newBuilder(Options{}), newBuilder(Options{})
		tree, model := new(aclState).domainsOf(b, &ACL{}), plainTree{b: modelB}
		tree.list = &list
		if long := rapid.Bool().Draw(t, "long"); long {
			tree.long = 0
		}
		var kept []string
		for _, v := range rapid.SliceOfN(value, 0, 30).Draw(t, "values") {
			if plainOnly && !plainDomain(v) {
				continue
			}
			want := model.insert(v)
			if want {
				kept = append(kept, v)
			}
			before := len(b.report.Lines)
			if got := tree.insert(b, v); got != want {
				t.Fatalf("%q is kept: %v, want %v", v, got, want)
			}
			if said := once(b.report.Lines[before:]); tree.long == 0 && !want && !slices.ContainsFunc(kept, func(k string) bool {
				one := newBuilder(Options{})
				(&plainTree{b: one}).compare(v, k)
				return len(said) > 0 && slices.Equal(said, one.report.Lines)
			}) {
				t.Fatalf("of %q beside %q is said\n%v", v, kept, said)
			}
		}
		if got := slices.Collect(list.All()); !slices.Equal(got, kept) {
			t.Fatalf("kept %q, want %q", got, kept)
		}
		if got, want := fmt.Sprint(b.report.Lines), fmt.Sprint(modelB.report.Lines); tree.long > 0 && got != want {
			t.Fatalf("said\n%s\nwant\n%s", got, want)
		}
		seen[fmt.Sprintf("plain %v, overlaps %v, long %v", plainOnly, len(b.report.Lines) > 0, tree.long == 0)]++
	})
	if len(seen) != 8 {
		t.Errorf("only these were seen: %v", seen)
	}
}

// once leaves out the three lines on an overlap where they follow themselves.
func once(lines []LegacyLine) (list []LegacyLine) {
	for i := 0; i+3 <= len(lines); i += 3 {
		if next := lines[i : i+3]; len(list) < 3 || !slices.Equal(next, list[len(list)-3:]) {
			list = append(list, next...)
		}
	}
	return list
}

// The order by tails is that of the texts.
func TestTails(t *testing.T) {
	name := rapid.StringMatching(`[!.abAB/]{16,20}`)
	rapid.Check(t, func(t *rapid.T) {
		x, y := name.Draw(t, "x"), name.Draw(t, "y")
		a, b := tailOf(x), tailOf(y)
		if a == b || !plainDomain(x) || !plainDomain(y) {
			return
		}
		if got, want := slices.Compare(a[:], b[:]) < 0, CompareDomain(x, y) < 0; got != want {
			t.Fatalf("%q before %q: %v, want %v", x, y, got, want)
		}
	})
}

func TestForgetLists(t *testing.T) {
	cfg, report := LoadText("squid.conf", []byte("http_port 3128\nvisible_hostname x\nacl all src 0.0.0.0/0\nacl a dstdomain .x y\nacl b url_regex z\nacl c src 10.0.0.1\nacl d req_header X-A a b\n"), Options{})
	if cfg == nil {
		t.Fatal(report.Lines)
	}
	held := func() (n int) {
		for _, a := range cfg.ACLs {
			n += a.Domains.Len() + a.Regexes.Len() + a.Networks.Len()
			for _, h := range a.Headers {
				n += h.Regexes.Len()
			}
		}
		return n
	}
	before := held()
	if cfg.ForgetLists(); before != 7 || held() != 2 {
		t.Errorf("%d values, then %d", before, held())
	}
}
