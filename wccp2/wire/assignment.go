package wire

import "net/netip"

// Bucket is one entry of the redirection hash table (5.6.7).
type Bucket uint8

// Unassigned is the bucket no cache has; its packets are forwarded normally.
const Unassigned Bucket = 0xFF

const alternate = 0x80

// MakeBucket gives the bucket of the cache at index (0 to 31) of the
// assignment's list; with alt its packets are hashed a second time (4.11.1).
func MakeBucket(index int, alt bool) Bucket {
	b := Bucket(index & 0x7F)
	if alt {
		b |= alternate
	}
	return b
}

// Index is the position of the bucket's cache in the list; false for [Unassigned].
func (b Bucket) Index() (int, bool) { return int(b &^ alternate), b != Unassigned }

// Alternate reports whether the bucket asks for the second hash.
func (b Bucket) Alternate() bool { return b != Unassigned && b&alternate != 0 }

// RouterAssignment addresses an assignment to one router (5.7.4). The router
// takes it only when both numbers are those it sent last.
type RouterAssignment struct {
	RouterID
	MemberChange uint32
}

// AssignMethod is the form of an alternate assignment (5.6.10; 2: rev1).
type AssignMethod uint16

// The forms of assignment.
const (
	AssignHash    AssignMethod = 0
	AssignMask    AssignMethod = 1
	AssignAltMask AssignMethod = 2
)

// Assignment hands traffic round the caches: the assignment component, always
// AssignHash (5.6.7), and the alternate assignment component in any form (5.6.10).
type Assignment struct {
	Method  AssignMethod
	Key     AssignmentKey
	Routers []RouterAssignment

	HashTable                   // AssignHash
	Sets      []MaskValueSet    // AssignMask
	AltSets   []AltMaskValueSet // AssignAltMask
}

// HashTable is the redirection hash table (5.6.7; rev1 6.5).
type HashTable struct {
	Caches  []netip.Addr // a bucket's index counts in this list
	Buckets [256]Bucket
}

// Of marks the buckets of a cache.
func (t *HashTable) Of(cache netip.Addr) (has Bitmap) {
	for i, b := range t.Buckets {
		if at, ok := b.Index(); ok && t.Caches[at] == cache {
			has.Set(uint8(i))
		}
	}
	return has
}

// assignment reads the body that both components share.
func (r *reader) assignment(method AssignMethod) *Assignment {
	a := &Assignment{Method: method, Key: r.key()}
	if n := r.count(12, "routers"); n > 0 {
		a.Routers = make([]RouterAssignment, n)
		for i := range a.Routers {
			a.Routers[i] = RouterAssignment{r.routerID(), r.u32()}
		}
	}
	switch method {
	case AssignHash:
		a.HashTable = r.hashTable()
	case AssignMask:
		a.Sets = r.maskValueSets()
	case AssignAltMask:
		a.AltSets = r.altMaskValueSets()
	default:
		r.fail("assignment type %d", method)
	}
	return a
}

func (r *reader) hashTable() (t HashTable) {
	t.Caches = r.addrs("caches")
	for i, b := range r.take(256) {
		t.Buckets[i] = Bucket(b)
		if at, ok := Bucket(b).Index(); ok && at >= len(t.Caches) {
			r.fail("bucket %d names cache %d of %d", i, at, len(t.Caches))
			break
		}
	}
	return t
}

func (w *writer) hashTable(t *HashTable) {
	w.addrs(t.Caches)
	for _, b := range t.Buckets {
		w.u8(uint8(b))
	}
}

func (r *reader) altAssignment() *Assignment {
	method, n := AssignMethod(r.u16()), int(r.u16())
	if r.err == nil && n != len(r.b) {
		r.fail("inner length %d, %d octets there", n, len(r.b))
	}
	return r.assignment(method)
}

func (w *writer) assignment(a *Assignment) {
	w.key(a.Key)
	w.u32(uint32(len(a.Routers)))
	for _, r := range a.Routers {
		w.routerID(r.RouterID)
		w.u32(r.MemberChange)
	}
	switch a.Method {
	case AssignHash:
		w.hashTable(&a.HashTable)
	case AssignMask:
		w.maskValueSets(a.Sets)
	case AssignAltMask:
		w.altMaskValueSets(a.AltSets)
	default:
		w.fail("assignment", "type %d", a.Method)
	}
}

// AssignmentMap repeats to the caches what a router was assigned: the
// assignment map component (5.6.11) and rev1's alternate one (5.3.4), which
// holds one of the three forms, each without key and routers.
type AssignmentMap struct {
	Method  AssignMethod
	Hash    *HashTable        // AssignHash, alternate map only
	Sets    []MaskValueSet    // AssignMask
	AltSets []AltMaskValueSet // AssignAltMask
}

func (r *reader) assignmentMap() *AssignmentMap {
	return &AssignmentMap{Method: AssignMask, Sets: r.maskValueSets()}
}

func (r *reader) altMap() *AssignmentMap {
	m := &AssignmentMap{Method: AssignMethod(r.u16())}
	if n := int(r.u16()); r.err == nil && n != len(r.b) {
		r.fail("inner length %d, %d octets there", n, len(r.b))
	}
	switch m.Method {
	case AssignHash:
		t := r.hashTable()
		m.Hash = &t
	case AssignMask:
		m.Sets = r.maskValueSets()
	case AssignAltMask:
		m.AltSets = r.altMaskValueSets()
	default:
		r.fail("assignment type %d", m.Method)
	}
	return m
}

// typed writes an assignment type, the length of what body appends, and body.
func (w *writer) typed(method AssignMethod, body func()) {
	w.u16(uint16(method))
	w.sized("assignment", body)
}

func (w *writer) altMap(m *AssignmentMap) {
	w.typed(m.Method, func() {
		switch {
		case m.Method == AssignHash && m.Hash != nil:
			w.hashTable(m.Hash)
		case m.Method == AssignMask:
			w.maskValueSets(m.Sets)
		case m.Method == AssignAltMask:
			w.altMaskValueSets(m.AltSets)
		default:
			w.fail("alternate assignment map", "type %d without its data", m.Method)
		}
	})
}
