package http1

import (
	"encoding/binary"
	"strconv"
)

// item is one field of an Outgoing: its value is foreign bytes, or a part of
// Outgoing.made.
type item struct {
	id       Name
	own      bool
	from, to int32 // of Outgoing.made
	key      []byte
	value    []byte
}

// Outgoing is the list of fields of a head about to be written, in order. It
// borrows what it copies from a parsed head and owns what it makes. The zero
// value is empty; Reset and reuse it.
type Outgoing struct {
	items []item
	made  []byte
	mark  int32  // start in made of the value being built
	lent  *Lines // fields in front of items, nil for none; see unfold
}

// Reset empties the list and keeps its storage.
func (o *Outgoing) Reset() {
	clear(o.items) // drop the borrowed bytes
	o.items, o.made, o.mark, o.lent = o.items[:0], o.made[:0], 0, nil
}

// Len is the number of fields.
func (o *Outgoing) Len() int {
	o.unfold()
	return len(o.items)
}

// ID is the registered name of field i, Other when it has none.
func (o *Outgoing) ID(i int) Name {
	o.unfold()
	return o.items[i].id
}

// Key is the name of field i as it will be written.
func (o *Outgoing) Key(i int) []byte {
	o.unfold()
	return o.items[i].key
}

// Value is the value of field i.
func (o *Outgoing) Value(i int) []byte {
	o.unfold()
	return o.value(i)
}

func (o *Outgoing) value(i int) []byte {
	if it := &o.items[i]; !it.own {
		return it.value
	}
	return o.made[o.items[i].from:o.items[i].to]
}

// Has reports whether a field of that registered name is in the list.
func (o *Outgoing) Has(id Name) bool {
	if o.lent != nil && o.lent.has(id) {
		return true
	}
	for i := range o.items {
		if o.items[i].id == id {
			return true
		}
	}
	return false
}

// Get is the value of the first field of that registered name, nil if none.
func (o *Outgoing) Get(id Name) []byte {
	o.unfold()
	for i := range o.items {
		if o.items[i].id == id {
			return o.value(i)
		}
	}
	return nil
}

// Copy appends field i of a parsed head, without copying its bytes.
func (o *Outgoing) Copy(f *Fields, i int) {
	o.items = append(o.items, item{id: f.ID(i), key: f.Key(i), value: f.Value(i)})
}

// Remove takes out all fields of that registered name.
func (o *Outgoing) Remove(id Name) {
	if !o.Has(id) {
		return
	}
	o.unfold()
	kept := o.items[:0]
	for _, it := range o.items {
		if it.id != id {
			kept = append(kept, it)
		}
	}
	o.items = kept
}

// RemoveAt takes out field i.
func (o *Outgoing) RemoveAt(i int) {
	o.unfold()
	o.items = append(o.items[:i], o.items[i+1:]...)
}

// SetAt gives field i another value; the bytes are borrowed.
func (o *Outgoing) SetAt(i int, value []byte) {
	o.unfold()
	o.items[i].own, o.items[i].value = false, value
}

// Add appends a field; the value is copied. Bytes that would end the line are
// replaced by blanks, so no value can split a message.
func (o *Outgoing) Add(id Name, value []byte) {
	o.made = append(o.made, value...)
	o.End(id)
}

// AddString is Add for a string.
func (o *Outgoing) AddString(id Name, value string) {
	o.made = append(o.made, value...)
	o.End(id)
}

// AddInt is Add for a number.
func (o *Outgoing) AddInt(id Name, n int64) {
	o.made = strconv.AppendInt(o.made, n, 10)
	o.End(id)
}

// Text, Bytes, Int and List build a value piece by piece; End makes a field of
// the pieces since the last End.
func (o *Outgoing) Text(s string) *Outgoing {
	o.made = append(o.made, s...)
	return o
}

// Bytes adds a piece, see Text.
func (o *Outgoing) Bytes(b []byte) *Outgoing {
	o.made = append(o.made, b...)
	return o
}

// Int adds a number as a piece, see Text.
func (o *Outgoing) Int(n int64) *Outgoing {
	o.made = strconv.AppendInt(o.made, n, 10)
	return o
}

// List adds the joined values of the fields of that name as a piece, with ", "
// behind them when there are any: the start of a list to which this hop adds
// its own member (Via, X-Forwarded-For).
func (o *Outgoing) List(f *Fields, id Name) *Outgoing {
	start := len(o.made)
	o.made = f.AppendList(o.made, id)
	if len(o.made) > start {
		o.made = append(o.made, ", "...)
	}
	return o
}

// Pieces and Set let a function of the form AppendX(dst) []byte add a piece:
// o.Set(x.Append(o.Pieces())).
func (o *Outgoing) Pieces() []byte { return o.made }

// Set takes back what was appended to Pieces.
func (o *Outgoing) Set(made []byte) *Outgoing {
	o.made = made
	return o
}

// End makes a field of the pieces added since the last field.
func (o *Outgoing) End(id Name) { o.end(id, nameBytes[id]) }

// EndOther is End for a field whose name is not registered; it keeps the name.
func (o *Outgoing) EndOther(name []byte) { o.end(Other, name) }

func (o *Outgoing) end(id Name, key []byte) {
	end := int32(len(o.made))
	if value := o.made[o.mark:end]; hasControls(value) {
		for i, c := range value {
			if c == '\r' || c == '\n' || c == 0 {
				value[i] = ' '
			}
		}
	}
	o.items = append(o.items, item{id: id, own: true, from: o.mark, to: end, key: key})
	o.mark = end
}

// Append writes the fields as lines and the empty line that ends a head.
func (o *Outgoing) Append(dst []byte) []byte {
	return append(o.appendLines(dst), '\r', '\n')
}

func (o *Outgoing) appendLines(dst []byte) []byte {
	if o.lent != nil {
		dst = append(dst, o.lent.text...)
	}
	for i := range o.items {
		it := &o.items[i]
		if it.id == Other {
			dst = append(append(dst, it.key...), ": "...)
		} else {
			dst = append(dst, nameStarts[it.id]...)
		}
		value := it.value
		if it.own {
			value = o.made[it.from:it.to]
		}
		dst = append(append(dst, value...), '\r', '\n')
	}
	return dst
}

// hasControls reports whether some octet is below 0x20, eight at a time: hardly any
// value has one.
func hasControls(b []byte) bool {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	for ; len(b) >= 8; b = b[8:] {
		if x := binary.LittleEndian.Uint64(b); (x-0x20*ones)&^x&high != 0 {
			return true
		}
	}
	for _, c := range b {
		if c < 0x20 {
			return true
		}
	}
	return false
}
