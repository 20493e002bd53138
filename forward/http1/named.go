package http1

// fieldList is what Fields and Outgoing have in common.
type fieldList interface {
	Len() int
	ID(i int) Name
	Key(i int) []byte
	Value(i int) []byte
}

// AppendNamed appends what the field of that name says: all values joined with
// ", " for lists and for names that are not registered, else the first value.
// ok is false when there is no such field. The name's case does not matter.
func (f *Fields) AppendNamed(dst []byte, name string) (value []byte, ok bool) {
	return appendNamed(dst, f, name)
}

// AppendNamed is Fields.AppendNamed for a head about to be written.
func (o *Outgoing) AppendNamed(dst []byte, name string) (value []byte, ok bool) {
	return appendNamed(dst, o, name)
}

func appendNamed[L fieldList](dst []byte, l L, name string) (value []byte, ok bool) {
	id, start := LookupNameString(name), len(dst)
	for i := range l.Len() {
		if l.ID(i) != id || id == Other && !EqualFold(l.Key(i), name) {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		dst, ok = append(dst, l.Value(i)...), true
		if id != Other && !id.IsList() {
			break
		}
	}
	return dst, ok
}

// AppendLines appends the fields as lines "Name: value", without the empty line
// behind them.
func (f *Fields) AppendLines(dst []byte) []byte {
	for i := range f.list {
		dst = append(append(dst, f.Key(i)...), ": "...)
		dst = append(append(dst, f.Value(i)...), "\r\n"...)
	}
	return dst
}
