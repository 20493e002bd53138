package http1

import "bytes"

// Lines is the fields of a head as they are written, made once to be lent to many heads
// that begin with them. It is never changed.
type Lines struct {
	text []byte
	have [(numNames + 63) / 64]uint64
}

// Lines gives the fields of the list in storage of their own.
func (o *Outgoing) Lines() *Lines {
	l := &Lines{text: bytes.Clone(o.appendLines(nil))}
	for i := range o.Len() {
		id := o.ID(i)
		l.have[id/64] |= 1 << (id % 64)
	}
	return l
}

// Lend begins an empty list with fields that are there already.
func (o *Outgoing) Lend(l *Lines) { o.lent = l }

// Has reports whether a field of that registered name is among them.
func (l *Lines) has(id Name) bool { return l.have[id/64]&(1<<(id%64)) != 0 }

// unfold enters what was lent into the list, for who looks at fields one by one.
func (o *Outgoing) unfold() {
	if o.lent == nil {
		return
	}
	rest, count := o.lent.text, bytes.Count(o.lent.text, []byte{'\n'})
	o.lent = nil
	o.items = append(make([]item, count, count+len(o.items)), o.items...)
	for i := range count {
		key, value, _ := bytes.Cut(rest, []byte(": "))
		value, rest, _ = bytes.Cut(value, []byte("\r\n"))
		o.items[i] = item{id: LookupName(key), key: key, value: value[:len(value):len(value)]}
	}
}
