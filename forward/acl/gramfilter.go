package acl

import "github.com/cuttle-proxy/cuttle/forward/http1"

// gramFilter finds which of many literal texts may stand in a subject, in one pass
// per text length class and without regard to the case of ASCII letters. Of each text
// one window of up to four bytes is looked for, the rarest among all texts; a bit
// table turns nearly every place of the subject away at once. The texts are not kept:
// who put them in says what they are.
type gramFilter struct{ tables []gramTable }

// gramTexts is the texts of a filter while it is made, in lower case, each with the
// number it is known by.
type gramTexts struct {
	bytes []byte
	list  []gramText
}

type gramText struct{ end, number uint32 }

// add appends a text, putting it into lower case.
func (l *gramTexts) add(text string, number uint32) {
	for i := range len(text) {
		l.bytes = append(l.bytes, http1.LowerByte(text[i]))
	}
	l.list = append(l.list, gramText{uint32(len(l.bytes)), number})
}

// each calls visit for every text whose windows have that size.
func (l *gramTexts) each(size int, visit func(text []byte, number uint32)) {
	from := uint32(0)
	for _, t := range l.list {
		if text := l.bytes[from:t.end]; min(len(text), maxGram) == size {
			visit(text, t.number)
		}
		from = t.end
	}
}

// gramTable is the texts looked for by windows of one size.
type gramTable struct {
	size  int // of the windows, 1 to 4 bytes
	mask  uint32
	shift uint // makes a bit number out of a hash
	bits  []uint64
	// entries by the upper bits of their windows' hashes; those of bucket b begin at
	// starts[b].
	entries []gramEntry
	starts  []uint32
	bucket  uint // makes a bucket out of a hash
}

// gramEntry is a window, the number of its text, and how far into the text it is.
type gramEntry struct{ window, number, offset uint32 }

const maxGram = 4

// newGramFilter makes the filter of some texts.
func newGramFilter(texts *gramTexts) gramFilter {
	var f gramFilter
	for size := 1; size <= maxGram; size++ {
		n := 0
		texts.each(size, func([]byte, uint32) { n++ })
		if n > 0 {
			f.tables = append(f.tables, newGramTable(size, n, texts))
		}
	}
	return f
}

// newGramTable makes the table of the n texts whose windows have that size.
func newGramTable(size, n int, texts *gramTexts) gramTable {
	t := gramTable{size: size, mask: uint32(1<<(8*size) - 1), shift: 32 - indexBits(32*n, 10, 24), bucket: 32 - indexBits(n, 4, 24)}
	t.bits = make([]uint64, 1<<(32-t.shift)/64)
	chosen := t.choose(n, texts)
	t.starts = make([]uint32, 1<<(32-t.bucket)+1)
	for _, e := range chosen {
		t.starts[t.bucketOf(e.window)+1]++
	}
	for b := range len(t.starts) - 1 {
		t.starts[b+1] += t.starts[b]
	}
	// Put in from behind: each bucket's start then moves to where it belongs.
	t.entries = make([]gramEntry, n)
	ends := t.starts[1:]
	for i := len(chosen) - 1; i >= 0; i-- {
		b := t.bucketOf(chosen[i].window)
		ends[b]--
		t.entries[ends[b]] = chosen[i]
	}
	copy(t.starts, ends)
	t.starts[len(t.starts)-1] = uint32(n)
	return t
}

// indexBits is how many bits number n places, within bounds.
func indexBits(n int, least, most uint) uint {
	for 1<<least < n && least < most {
		least++
	}
	return least
}

// choose takes the rarest window of each text. How often one occurs is counted by few
// bits of its hash: two that share a count are at worst taken for more frequent.
func (t *gramTable) choose(n int, texts *gramTexts) []gramEntry {
	countBits := indexBits(4*len(texts.bytes), 6, 18)
	frequency := make([]uint32, 1<<countBits)
	count := func(g uint32) *uint32 { return &frequency[g*0x85ebca6b>>(32-countBits)] }
	t.windows(texts, func(g uint32, _ int, _ uint32) { *count(g)++ })
	chosen := make([]gramEntry, 0, n)
	t.windows(texts, func(g uint32, offset int, number uint32) {
		switch last := len(chosen) - 1; {
		case offset == 0:
			chosen = append(chosen, gramEntry{g, number, 0})
		case *count(g) < *count(chosen[last].window):
			chosen[last].window, chosen[last].offset = g, uint32(offset)
		}
	})
	for _, e := range chosen {
		bit := t.hash(e.window) >> t.shift
		t.bits[bit/64] |= 1 << (bit % 64)
	}
	return chosen
}

// windows calls visit for every window of every text of the table.
func (t *gramTable) windows(texts *gramTexts, visit func(window uint32, offset int, number uint32)) {
	texts.each(t.size, func(text []byte, number uint32) {
		window := uint32(0)
		for i, c := range text {
			if window = (window<<8 | uint32(c)) & t.mask; i+1 >= t.size {
				visit(window, i+1-t.size, number)
			}
		}
	})
}

// hash spreads a window over the upper bits.
func (t *gramTable) hash(g uint32) uint32 { return g * 0x9e3779b1 }

func (t *gramTable) bucketOf(g uint32) uint32 { return t.hash(g) >> t.bucket }

// find calls found for each text whose window stands in subject, with the place the
// text would begin at, until found answers true.
func (f *gramFilter) find(subject string, found func(number uint32, at int) bool) bool {
	for i := range f.tables {
		if f.tables[i].find(subject, found) {
			return true
		}
	}
	return false
}

func (t *gramTable) find(subject string, found func(number uint32, at int) bool) bool {
	window := uint32(0)
	for i := range len(subject) {
		window = (window<<8 | uint32(http1.LowerByte(subject[i]))) & t.mask
		hash := t.hash(window)
		bit := hash >> t.shift
		if t.bits[bit/64]&(1<<(bit%64)) == 0 || i+1 < t.size {
			continue
		}
		b := hash >> t.bucket
		for _, e := range t.entries[t.starts[b]:t.starts[b+1]] {
			if at := i + 1 - t.size - int(e.offset); e.window == window && at >= 0 && found(e.number, at) {
				return true
			}
		}
	}
	return false
}
