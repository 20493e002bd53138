package conf

import "strings"

// domainTree decides which values of a dstdomain list are kept: of two that overlap
// the first. What 2.6 says of them depends on the order of its tree, which costs most
// of the time of a long list; so values are looked for by hash first, and the tree is
// made when there is something to be said.
type domainTree struct {
	list *Domains // the values kept
	tree splay[domainEntry]
	// planted is how many values of list are in the tree; fresh is the one being put in.
	planted int
	fresh   string
	// above are the domains that values lie in.
	above hashSet
	// strange: a value is in the tree that the hashes say nothing about.
	strange bool
}

// domainEntry is a value in the tree: its number, and the end of its name, which tells
// it from nearly all others without a look at its text.
type domainEntry struct {
	tail   [2]uint64
	number uint32
	length uint32 // of the name
}

// domainsOf gives the tree of one ACL's values, a new one at first.
func (st *aclState) domainsOf(b *builder, a *ACL) *domainTree {
	if st.domains == nil {
		t := &domainTree{list: &a.Domains}
		t.tree.compare = func(fresh, old domainEntry) int { return t.compare(b, fresh, old) }
		st.domains = t
	}
	return st.domains
}

// insert adds a value in lower case unless it overlaps one that is there.
func (t *domainTree) insert(v string) bool {
	plain := plainDomain(v)
	if plain && !t.strange && !t.overlaps(v) {
		t.list.add(v)
		t.raise(v)
		return true
	}
	for ; t.planted < t.list.Len(); t.planted++ {
		t.plant(t.list.At(t.planted))
	}
	t.strange = t.strange || !plain
	if !t.plant(v) {
		return false
	}
	t.list.add(v)
	t.raise(v)
	t.planted++
	return true
}

// plant puts the value with the number t.planted into the tree.
func (t *domainTree) plant(v string) bool {
	t.fresh = v
	name := domainName(v)
	return t.tree.insert(domainEntry{tailOf(name), uint32(t.planted), uint32(len(name))})
}

// overlaps reports whether a plain value overlaps one of the list.
func (t *domainTree) overlaps(v string) bool {
	if t.list.Has(v) {
		return true
	}
	return v[0] == '.' && t.above.has(uint64(hashDomain(v[1:])))
}

// raise notes the domains a value lies in.
func (t *domainTree) raise(v string) {
	h := newDomainHash()
	for i := len(v) - 1; i > 0; i-- {
		if v[i] == '.' {
			t.above.add(uint64(h))
		}
		h = h.with(v[i])
	}
}

// compare orders a value against an entry, and says so when they overlap. Names with
// different ends are told apart without looking at their texts.
func (t *domainTree) compare(b *builder, fresh, old domainEntry) int {
	a, z, skipped := fresh.tail[0], old.tail[0], 0
	if a == z {
		a, z, skipped = fresh.tail[1], old.tail[1], 8
	}
	// The first byte that differs must stand in both names.
	if a != z && !t.strange && skipped+leadingBytes(a^z) < int(min(fresh.length, old.length)) {
		if a < z {
			return -1
		}
		return 1
	}
	was := t.list.At(int(old.number))
	narrow, wide := was, t.fresh
	at := CompareDomain(narrow, wide)
	if at != 0 {
		narrow, wide = t.fresh, was
		at = CompareDomain(narrow, wide)
	}
	if at == 0 {
		b.overlap("domain", narrow, wide, t.fresh)
	}
	return at
}

// plainDomain reports whether a value is labels between dots, one dot in front
// allowed: what CompareDomain orders without surprises.
func plainDomain(v string) bool {
	name := domainName(v)
	return name != "" && name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..")
}
