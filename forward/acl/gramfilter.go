package acl

// gramFilter finds which of many literal texts stand in a subject, in one pass
// per text length class and without regard to the case of ASCII letters. Of
// each text one window of up to four bytes is looked for, the rarest among all
// texts; a bit table turns nearly every place of the subject away at once.
type gramFilter struct{ tables []gramTable }

// gramText is a text in lower case and the pattern that needs it.
type gramText struct {
	text    string
	pattern uint32
}

// gramTable is the texts looked for by windows of one size.
type gramTable struct {
	size    int // of the windows, 1 to 4 bytes
	mask    uint32
	shift   uint // makes a bit number out of a hash
	bits    []uint64
	buckets map[uint32][]gramEntry // by window
}

type gramEntry struct {
	gramText
	offset int // of the window in the text
}

const maxGram = 4

func newGramFilter(texts []gramText) gramFilter {
	var f gramFilter
	for size := 1; size <= maxGram; size++ {
		var class []gramText
		for _, t := range texts {
			if len(t.text) == size || size == maxGram && len(t.text) > size {
				class = append(class, t)
			}
		}
		if len(class) > 0 {
			f.tables = append(f.tables, newGramTable(size, class))
		}
	}
	return f
}

func newGramTable(size int, texts []gramText) gramTable {
	t := gramTable{size: size, mask: uint32(1<<(8*size) - 1), shift: 32 - 10, buckets: map[uint32][]gramEntry{}}
	for 1<<(32-t.shift) < 32*len(texts) && t.shift > 8 {
		t.shift--
	}
	t.bits = make([]uint64, 1<<(32-t.shift)/64)
	frequency := map[uint32]uint32{}
	for _, text := range texts {
		for i := 0; i+size <= len(text.text); i++ {
			frequency[gram(text.text[i:i+size])]++
		}
	}
	for _, text := range texts {
		best, offset := gram(text.text[:size]), 0
		for i := 1; i+size <= len(text.text); i++ {
			if g := gram(text.text[i : i+size]); frequency[g] < frequency[best] {
				best, offset = g, i
			}
		}
		t.buckets[best] = append(t.buckets[best], gramEntry{text, offset})
		bit := t.hash(best)
		t.bits[bit/64] |= 1 << (bit % 64)
	}
	return t
}

// hash gives the number of a window's bit.
func (t *gramTable) hash(g uint32) uint32 { return g * 0x9e3779b1 >> t.shift }

// find calls found for each text that stands in subject, with the place where,
// until found answers true.
func (f *gramFilter) find(subject string, found func(pattern uint32, at int, text string) bool) bool {
	for i := range f.tables {
		if f.tables[i].find(subject, found) {
			return true
		}
	}
	return false
}

func (t *gramTable) find(subject string, found func(pattern uint32, at int, text string) bool) bool {
	window := uint32(0)
	for i := range len(subject) {
		window = (window<<8 | uint32(lowered[subject[i]])) & t.mask
		bit := t.hash(window)
		if t.bits[bit/64]&(1<<(bit%64)) == 0 || i+1 < t.size {
			continue
		}
		entries := t.buckets[window]
		for j := range entries {
			e := &entries[j]
			at := i + 1 - t.size - e.offset
			if at >= 0 && at+len(e.text) <= len(subject) && equalLowered(subject[at:at+len(e.text)], e.text) &&
				found(e.pattern, at, e.text) {
				return true
			}
		}
	}
	return false
}

func gram(s string) uint32 {
	g := uint32(0)
	for i := range len(s) {
		g = g<<8 | uint32(s[i])
	}
	return g
}

// lowered maps ASCII letters to lower case and leaves all other bytes.
var lowered = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// lower is s with ASCII letters in lower case. All other bytes stay what they
// are: two names that differ in bytes of no known encoding must not become one.
func lower(s string) string {
	for i := range len(s) {
		if lowered[s[i]] != s[i] {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lowered[b[i]]
			}
			return string(b)
		}
	}
	return s
}

// equalLowered compares s, put into lower case, with text.
func equalLowered(s, text string) bool {
	for i := range len(text) {
		if lowered[s[i]] != text[i] {
			return false
		}
	}
	return true
}
