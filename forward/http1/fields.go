package http1

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// field is one line of a field block as offsets into Fields.text.
type field struct {
	keyFrom, keyTo uint32
	from, to       uint32
	id             Name
}

// connectionState says what is known of the Connection fields.
type connectionState uint8

const (
	connectionUnread connectionState = iota
	connectionPlain                  // nothing but "close" and "keep-alive"
	connectionNames                  // other words, which may be field names
)

// Fields is the index of a field block: order and bytes as received, lookup by
// registered name. The zero value is empty. Slices handed out are read-only
// and live until the owning message is parsed again.
type Fields struct {
	text []byte // the head received, or repaired
	list []field
	have [(numNames + 63) / 64]uint64

	length        int64
	lengthState   lengthState
	largestLength bool // of differing lengths the largest counts
	lengthsDiffer bool
	repaired      []byte // storage of text after a repair
	connection    connectionState
	options       []uint64 // hashes of what Connection lists, sorted; see readConnection

	// Dropped counts lines that were left out because nothing could be made of
	// them (no colon, no usable name); 2.6 lets them disappear too.
	Dropped int
	// Spaced counts names with blanks between them and their colon.
	Spaced int
	// Folded tells that a value spanned several lines; they are joined by blanks.
	Folded bool
}

func (f *Fields) reset() {
	f.list = f.list[:0]
	f.have = [len(f.have)]uint64{}
	f.text, f.repaired, f.options = nil, f.repaired[:0], f.options[:0]
	f.length, f.lengthState = 0, lengthAbsent
	f.largestLength, f.lengthsDiffer = false, false
	f.Dropped, f.Spaced, f.Folded, f.connection = 0, 0, false, connectionUnread
}

// CopyFrom makes f a copy of g that shares nothing with it, in storage of its own.
func (f *Fields) CopyFrom(g *Fields) {
	repaired, list, options := append(f.repaired[:0], g.text...), append(f.list[:0], g.list...), append(f.options[:0], g.options...)
	*f = *g
	f.text, f.repaired, f.list, f.options = repaired, repaired, list, options
}

// Len is the number of fields.
func (f *Fields) Len() int { return len(f.list) }

// ID is the registered name of field i, Other when it has none.
func (f *Fields) ID(i int) Name { return f.list[i].id }

// Key is the name of field i: the canonical spelling of a registered name, the
// received spelling of any other.
func (f *Fields) Key(i int) []byte {
	if l := &f.list[i]; l.id == Other {
		return f.text[l.keyFrom:l.keyTo]
	}
	return nameBytes[f.list[i].id]
}

// Value is the value of field i without the blanks around it.
func (f *Fields) Value(i int) []byte {
	l := &f.list[i]
	return f.text[l.from:l.to:l.to]
}

// Has reports whether a field of that registered name is there.
func (f *Fields) Has(id Name) bool { return f.have[id/64]&(1<<(id%64)) != 0 }

// Get is the value of the first field of that registered name, nil when there
// is none (an empty value is not nil).
func (f *Fields) Get(id Name) []byte {
	if !f.Has(id) {
		return nil
	}
	for i := range f.list {
		if f.list[i].id == id {
			return f.Value(i)
		}
	}
	return nil
}

// GetOther is the value of the first field with that name, registered or not,
// nil when there is none. The name's case does not matter.
func (f *Fields) GetOther(name string) []byte {
	for i := range f.list {
		if EqualFold(f.Key(i), name) {
			return f.Value(i)
		}
	}
	return nil
}

// Count is the number of fields of that registered name.
func (f *Fields) Count(id Name) int {
	n := 0
	if f.Has(id) {
		for i := range f.list {
			if f.list[i].id == id {
				n++
			}
		}
	}
	return n
}

// AppendList appends the values of all fields of that registered name, joined
// by ", ".
func (f *Fields) AppendList(dst []byte, id Name) []byte {
	if !f.Has(id) {
		return dst
	}
	start := len(dst)
	for i := range f.list {
		if f.list[i].id != id || f.list[i].from == f.list[i].to {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst = append(dst, f.Value(i)...)
	}
	return dst
}

// ListHas reports whether a comma-separated list in the fields of that name has
// the member, compared without regard to case.
func (f *Fields) ListHas(id Name, member string) bool {
	if !f.Has(id) {
		return false
	}
	for i := range f.list {
		if f.list[i].id == id && ListHas(f.Value(i), member) {
			return true
		}
	}
	return false
}

// ConnectionLists reports whether the Connection fields name the field key: such a
// field belongs to this hop only (RFC 9110 section 7.6.1). Content-Length is
// never one, whatever a sender says: without it the body that follows would be
// read as another message.
func (f *Fields) ConnectionLists(key []byte) bool {
	if !f.Has(Connection) || EqualFold(key, nameText[ContentLength]) {
		return false
	}
	if f.connection == connectionUnread {
		f.readConnection()
	}
	if f.connection == connectionPlain && len(key) != len("close") && len(key) != len("keep-alive") {
		return false
	}
	_, listed := slices.BinarySearch(f.options, optionHash(key))
	return listed
}

// readConnection notes what the Connection fields name. Nearly always that is
// nothing but "close" and "keep-alive"; then there is no need to look again for
// every field. A head full of options and fields must not cost their product:
// the options are kept as sorted hashes.
func (f *Fields) readConnection() {
	f.connection, f.options = connectionPlain, f.options[:0]
	for j := range f.list {
		if f.list[j].id != Connection {
			continue
		}
		for list := f.Value(j); ; {
			item, rest := NextItem(list)
			if len(item) == 0 {
				break
			}
			if !EqualFold(item, "keep-alive") && !EqualFold(item, "close") {
				f.connection = connectionNames
			}
			f.options = append(f.options, optionHash(item))
			list = rest
		}
	}
	slices.Sort(f.options)
}

// optionSeed makes hashes nobody outside can choose.
var optionSeed = rand.Uint64()

// optionHash is a hash of a name without regard to case.
func optionHash(name []byte) uint64 {
	h := optionSeed
	for _, c := range name {
		h = (h ^ uint64(lowered[c])) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return h
}

// ContentLength is the value of Content-Length, -1 when there is none that can
// be used.
func (f *Fields) ContentLength() int64 {
	if f.lengthState != lengthGood {
		return -1
	}
	return f.length
}

// Delete removes all fields of that registered name.
func (f *Fields) Delete(id Name) {
	if !f.Has(id) {
		return
	}
	kept := f.list[:0]
	for _, l := range f.list {
		if l.id != id {
			kept = append(kept, l)
		}
	}
	f.list = kept
	f.have[id/64] &^= 1 << (id % 64)
	switch id {
	case ContentLength:
		f.lengthState = lengthAbsent
	case Connection:
		f.connection = connectionUnread
	}
}

// repair gives f.text storage of its own, so that bytes may be changed.
func (f *Fields) repair() {
	if len(f.repaired) == len(f.text) && len(f.text) > 0 && &f.repaired[0] == &f.text[0] {
		return
	}
	f.repaired = append(f.repaired[:0], f.text...)
	f.text = f.repaired
}

// parse indexes the block text[from:], which ends with an empty line or with
// the text. It returns NoFault, InvalidFields or InvalidLength.
func (f *Fields) parse(text []byte, from int, relaxed bool) Fault {
	f.text = text
	if bytes.IndexByte(text[from:], 0) >= 0 {
		return InvalidFields
	}
	for pos := from; pos < len(f.text); {
		start := pos
		if class[f.text[start]]&isBlank != 0 {
			return InvalidFields // continues nothing: RFC 9112 section 2.2
		}
		end, next, fault := f.line(pos, relaxed)
		if fault != NoFault {
			return fault
		}
		if start == end {
			if next < len(f.text) {
				return InvalidFields
			}
			return NoFault
		}
		folded := false
		for next < len(f.text) && class[f.text[next]]&isBlank != 0 {
			folded = true
			if end, next, fault = f.unfold(end, next, relaxed); fault != NoFault {
				return fault
			}
		}
		if fault := f.add(start, end, folded, relaxed); fault != NoFault {
			return fault
		}
		pos = next
	}
	return NoFault
}

// line finds the end of the line at pos: end is behind its text, next behind
// its line feed. A CR within the text is repaired to a blank or refused.
func (f *Fields) line(pos int, relaxed bool) (end, next int, fault Fault) {
	feed := bytes.IndexByte(f.text[pos:], '\n')
	if feed < 0 {
		return 0, 0, InvalidFields
	}
	end, next = pos+feed, pos+feed+1
	if end > pos && f.text[end-1] == '\r' {
		end--
		if relaxed && end > pos+1 && f.text[end-1] == '\r' {
			end--
		}
	}
	if cr := bytes.IndexByte(f.text[pos:end], '\r'); cr >= 0 {
		if !relaxed {
			return 0, 0, InvalidFields
		}
		f.repair()
		for i := pos + cr; i < end; i++ {
			if f.text[i] == '\r' {
				f.text[i] = ' '
			}
		}
	}
	return end, next, NoFault
}

// unfold joins the continuation line at next to the line that ended at end by
// overwriting the line break with blanks (RFC 9112 section 5.2).
func (f *Fields) unfold(end, next int, relaxed bool) (int, int, Fault) {
	lineEnd, after, fault := f.line(next, relaxed)
	if fault != NoFault {
		return 0, 0, fault
	}
	if allAre(f.text[next:lineEnd], isSpace) {
		return 0, 0, InvalidFields // a blank line in disguise
	}
	f.repair()
	f.Folded = true
	for i := end; i < next; i++ {
		f.text[i] = ' '
	}
	return lineEnd, after, NoFault
}

// add enters the field text[start:end].
func (f *Fields) add(start, end int, folded, relaxed bool) Fault {
	colon := bytes.IndexByte(f.text[start:end], ':')
	keyEnd := start + max(colon, 0)
	if relaxed {
		for keyEnd > start && class[f.text[keyEnd-1]]&isSpace != 0 {
			keyEnd--
		}
		if colon > 0 && keyEnd < start+colon {
			f.Spaced++
		}
	}
	key := f.text[start:keyEnd]
	id := LookupName(key)
	if id == Other {
		if disguisedFraming(key) {
			return InvalidFields
		}
		if len(key) == 0 || !allAre(key, isToken) {
			if !relaxed && (len(key) == 0 || anyIs(key, isSpace)) {
				return InvalidFields
			}
			f.Dropped++
			return NoFault
		}
	}
	value := trimSpace(f.text[start+colon+1 : end])
	from := start + colon + 1
	if len(value) > 0 {
		for class[f.text[from]]&isSpace != 0 {
			from++
		}
	}
	switch id {
	case ContentLength:
		keep, fault := f.addLength(value, folded, relaxed)
		if !keep || fault != NoFault {
			return fault
		}
	case TransferEncoding, Host:
		if folded {
			return InvalidFields
		}
	}
	if len(f.list) >= maxFields {
		return InvalidFields
	}
	f.list = append(f.list, field{uint32(start), uint32(keyEnd), uint32(from), uint32(from + len(value)), id})
	f.have[id/64] |= 1 << (id % 64)
	return NoFault
}
