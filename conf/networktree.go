package conf

import "math/bits"

// networkTree decides which IPv4 values of a src list are kept: of two that overlap the
// first. As with domainTree the tree of 2.6 is made when there is something to be said in a
// list that is not long.
type networkTree struct {
	list *Networks // the values kept
	tree splay[network4]
	// planted is how many values of list are in the tree.
	planted int
	// refused are the values left out, each with the number of those kept before;
	// searched is how many the tree was searched for.
	refused  []network4
	before   []uint32
	searched int
	mute     bool
	spans    spans
	// strange: a value is in the tree that is no range of addresses.
	strange bool
	long    int // from how many values a list is long
}

// networksOf gives the tree of one ACL's values, a new one at first.
func (st *aclState) networksOf(b *builder, a *ACL) *networkTree {
	if st.networks == nil {
		t := &networkTree{list: &a.Networks, long: longList}
		t.tree.compare = func(fresh, old network4) int { return t.compare(b, fresh, old) }
		st.networks = t
	}
	return st.networks
}

// compare orders a new value against one of the list, both ways, and says so when they
// overlap.
func (t *networkTree) compare(b *builder, fresh, old network4) int {
	narrow, wide := old, fresh
	at := compareNetwork(narrow, wide)
	if at != 0 {
		narrow, wide = fresh, old
		at = compareNetwork(narrow, wide)
	}
	if at == 0 && !t.mute {
		b.overlap("network", narrow.String(), wide.String(), fresh.String())
	}
	return at
}

// insert adds a value unless it overlaps one that is there.
func (t *networkTree) insert(b *builder, n network4) bool {
	first, last, plain := n.span()
	if plain && !t.strange {
		switch other, met := t.spans.add(first, last, uint32(len(t.list.four))); {
		case !met:
			t.list.four = append(t.list.four, n)
			return true
		case len(t.list.four) >= t.long:
			t.compare(b, n, t.list.four[other&^several])
			t.refuse(n)
			return false
		}
	}
	t.catchUp()
	t.strange = t.strange || !plain
	if !t.tree.insert(n) {
		t.refuse(n)
		t.searched++
		return false
	}
	t.list.four = append(t.list.four, n)
	t.planted++
	return true
}

func (t *networkTree) refuse(n network4) {
	t.refused = append(t.refused, n)
	t.before = append(t.before, uint32(len(t.list.four)))
}

// catchUp does in the tree what was done without it.
func (t *networkTree) catchUp() {
	t.mute = true
	for ; t.searched < len(t.refused); t.searched++ {
		t.plantUpTo(int(t.before[t.searched]))
		t.tree.insert(t.refused[t.searched])
	}
	t.plantUpTo(len(t.list.four))
	t.mute = false
}

func (t *networkTree) plantUpTo(n int) {
	for ; t.planted < n; t.planted++ {
		t.tree.insert(t.list.four[t.planted])
	}
}

// span is the addresses of a value; ok is false when it is no range of them: its mask is
// no prefix, or its ends are the wrong way round.
func (n network4) span() (first, last uint32, ok bool) {
	if bits.LeadingZeros32(^n.mask)+bits.TrailingZeros32(n.mask) < 32 {
		return 0, 0, false
	}
	last = n.last
	if last == 0 {
		last = n.first
	}
	return n.first, last | ^n.mask, n.first <= last
}
