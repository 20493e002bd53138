package conf

// texts is a list of texts in one piece of memory: a list of a million lines is two
// allocations, and holds nothing the collector has to follow.
type texts struct {
	bytes []byte
	ends  []uint32 // of each text in bytes
}

// maxTexts bounds the bytes of one list.
const maxTexts = 1<<32 - 1

func (t *texts) len() int { return len(t.ends) }

// at gives text i, which shares the list's memory.
func (t *texts) at(i int) string {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return view(t.bytes[from:t.ends[i]])
}

// fits reports whether s can be added.
func (t *texts) fits(s string) bool { return len(t.bytes)+len(s) <= maxTexts }

func (t *texts) add(s string) {
	t.bytes = append(t.bytes, s...)
	t.ends = append(t.ends, uint32(len(t.bytes)))
}

// compact gives back the room that growing left over.
func (t *texts) compact() { t.bytes, t.ends = compact(t.bytes), compact(t.ends) }

// compact moves a long list that has much room behind it into a place of its size.
func compact[T any](list []T) []T {
	if spare := cap(list) - len(list); spare < 1<<16 || spare < len(list)/16 {
		return list
	}
	return append(make([]T, 0, len(list)), list...)
}
