package conf

import "math/bits"

// networkTree decides which IPv4 values of a src list are kept: of two that overlap the
// first. As with domainTree the tree of 2.6 is made when there is something to be said.
type networkTree struct {
	list *Networks // the values kept
	tree splay[network4]
	// planted is how many values of list are in the tree.
	planted int
	spans   spans
	// strange: a value is in the tree that is no range of addresses.
	strange bool
}

// networksOf gives the tree of one ACL's values, a new one at first. Each is compared
// with the others both ways.
func (st *aclState) networksOf(b *builder, a *ACL) *networkTree {
	if st.networks != nil {
		return st.networks
	}
	st.networks = &networkTree{list: &a.Networks}
	st.networks.tree.compare = func(fresh, old network4) int {
		narrow, wide := old, fresh
		at := compareNetwork(narrow, wide)
		if at != 0 {
			narrow, wide = fresh, old
			at = compareNetwork(narrow, wide)
		}
		if at == 0 {
			b.overlap("network", narrow.String(), wide.String(), fresh.String())
		}
		return at
	}
	return st.networks
}

// insert adds a value unless it overlaps one that is there.
func (t *networkTree) insert(n network4) bool {
	first, last, plain := n.span()
	if plain && !t.strange && t.spans.add(first, last) {
		t.list.four = append(t.list.four, n)
		return true
	}
	for ; t.planted < len(t.list.four); t.planted++ {
		t.tree.insert(t.list.four[t.planted])
	}
	t.strange = t.strange || !plain
	if !t.tree.insert(n) {
		return false
	}
	t.list.four = append(t.list.four, n)
	t.planted++
	return true
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
