package conf

import "strings"

// domainTree decides which values of a dstdomain list are kept: of two that overlap
// the first. What 2.6 says of them depends on the order of its tree, which costs most
// of the time of a long list; so values are looked for by hash first, and the tree is
// made when there is something to be said in a list that is not long. In a long one 2.6
// repeats itself now and then, and of several that a value overlaps it names one, both by
// the tree's order; we name the first, once.
type domainTree struct {
	list *Domains // the values kept
	tree splay[domainEntry]
	// planted is how many values of list are in the tree; fresh is the one being put in.
	planted int
	fresh   string
	// refused are the values left out, each with the number of those kept before: looking
	// for them has moved the tree. searched is how many the tree was searched for.
	refused  texts
	before   []uint32
	searched int
	mute     bool
	// above are the domains that values lie in.
	above underneath
	// strange: a value is in the tree that the hashes say nothing about.
	strange bool
	long    int // from how many values a list is long
}

const longList = 10_000

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
		t := &domainTree{list: &a.Domains, long: longList}
		t.tree.compare = func(fresh, old domainEntry) int { return t.compare(b, fresh, old) }
		st.domains = t
	}
	return st.domains
}

// insert adds a value in lower case unless it overlaps one that is there.
func (t *domainTree) insert(b *builder, v string) bool {
	plain := plainDomain(v)
	if plain && !t.strange {
		switch other, found := t.overlapped(v); {
		case !found:
			t.keep(v)
			return true
		case other != unsure && t.list.Len() >= t.long:
			t.say(b, t.list.At(int(other&^several)), v)
			t.refuse(v)
			return false
		}
	}
	t.catchUp()
	t.strange = t.strange || !plain
	if !t.plant(v) {
		t.refuse(v)
		t.searched++
		return false
	}
	t.keep(v)
	t.planted++
	return true
}

func (t *domainTree) keep(v string) {
	t.list.add(v)
	t.raise(v)
}

func (t *domainTree) refuse(v string) {
	t.refused.add(v)
	t.before = append(t.before, uint32(t.list.Len()))
}

// catchUp does in the tree what was done without it.
func (t *domainTree) catchUp() {
	t.mute = true
	for ; t.searched < t.refused.len(); t.searched++ {
		t.plantUpTo(int(t.before[t.searched]))
		t.plant(t.refused.at(t.searched))
	}
	t.plantUpTo(t.list.Len())
	t.mute = false
}

func (t *domainTree) plantUpTo(n int) {
	for ; t.planted < n; t.planted++ {
		t.plant(t.list.At(t.planted))
	}
}

// plant puts the value with the number t.planted into the tree.
func (t *domainTree) plant(v string) bool {
	t.fresh = v
	name := domainName(v)
	return t.tree.insert(domainEntry{tailOf(name), uint32(t.planted), uint32(len(name))})
}

// unsure stands for a value that may be overlapped: two domains have one hash.
const unsure = 1<<32 - 1

// overlapped gives the number of the value of the list that a plain value overlaps, or of
// the first of several.
func (t *domainTree) overlapped(v string) (number uint32, found bool) {
	name := domainName(v)
	wide, covered := t.list.number(name)
	if covered && (t.list.At(int(wide))[0] == '.' || v[0] != '.') {
		return wide, true // v lies in it, and so can nothing of the list
	}
	if v[0] != '.' {
		return 0, false
	}
	number, found = t.above.of(uint64(hashDomain(name)))
	switch {
	case covered && found:
		return wide | several, true
	case covered:
		return wide, true
	case found && !strings.HasSuffix(t.list.At(int(number&^several)), v):
		return unsure, true
	}
	return number, found
}

// raise notes the domains the value added last lies in.
func (t *domainTree) raise(v string) {
	h, number := newDomainHash(), uint32(t.list.Len()-1)
	for i := len(v) - 1; i > 0; i-- {
		if v[i] == '.' {
			t.above.add(uint64(h), number)
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
	return t.say(b, t.list.At(int(old.number)), t.fresh)
}

// say orders a new value against one of the list, and says so when they overlap.
func (t *domainTree) say(b *builder, was, fresh string) int {
	narrow, wide := was, fresh
	at := CompareDomain(narrow, wide)
	if at != 0 {
		narrow, wide = fresh, was
		at = CompareDomain(narrow, wide)
	}
	if at == 0 && !t.mute {
		b.overlap("domain", narrow, wide, fresh)
	}
	return at
}

// plainDomain reports whether a value is labels between dots, one dot in front
// allowed: what CompareDomain orders without surprises.
func plainDomain(v string) bool {
	name := domainName(v)
	return name != "" && name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..")
}
