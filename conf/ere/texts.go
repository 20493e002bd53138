package ere

// Text is a text a pattern stands for; Start and End tell whether the pattern wants
// it at that end of the subject.
type Text struct {
	Text       string
	Start, End bool
}

// maxTexts bounds what the alternatives of one pattern multiply to.
const maxTexts = 256

// Texts spells out the alternatives of a pattern, in lower case where case is ignored;
// ok is false when it is refused, fits nothing, or stands for more than a few texts.
func Texts(pattern string, icase bool) (list []Text, ok bool) {
	t, err := parse(pattern, icase)
	if err != nil {
		return nil, false
	}
	return texts(t.root, icase)
}

func texts(n *node, icase bool) ([]Text, bool) {
	switch n.kind {
	case empty:
		return []Text{{}}, true
	case start:
		return []Text{{Start: true}}, true
	case end:
		return []Text{{End: true}}, true
	case set:
		c, ok := n.set.only(icase)
		if !ok {
			return nil, false
		}
		if icase {
			c = lower(c)
		}
		return []Text{{Text: string([]byte{c})}}, true
	case group:
		return texts(n.subs[0], icase)
	case alt:
		var list []Text
		for _, sub := range n.subs {
			some, ok := texts(sub, icase)
			if list = append(list, some...); !ok || len(list) > maxTexts {
				return nil, false
			}
		}
		return list, true
	case cat:
		list := []Text{{}}
		for _, sub := range n.subs {
			some, ok := texts(sub, icase)
			if !ok {
				return nil, false
			}
			if list, ok = joined(list, some); !ok {
				return nil, false
			}
		}
		return list, true
	}
	return nil, false
}

// joined puts each of next behind each of list.
func joined(list, next []Text) ([]Text, bool) {
	if len(list)*len(next) > maxTexts {
		return nil, false
	}
	all := make([]Text, 0, len(list)*len(next))
	for _, a := range list {
		for _, b := range next {
			if a.End && b.Text != "" || b.Start && a.Text != "" {
				return nil, false // such a text fits nothing
			}
			all = append(all, Text{a.Text + b.Text, a.Start || b.Start, a.End || b.End})
		}
	}
	return all, true
}
