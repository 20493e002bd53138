package ere

// Bounds on the literals of one pattern: more would not be cheaper than running it.
const (
	maxLiterals   = 32
	maxLiteralLen = 64
)

// literals gives texts of which every match contains at least one, in lower
// case when case is ignored; none when there are no such texts.
func literals(n *node, icase bool) []string {
	switch n.kind {
	case set:
		if text, ok := literalByte(n.set, icase); ok {
			return []string{string([]byte{text})}
		}
	case group:
		return literals(n.subs[0], icase)
	case repeat:
		if n.min > 0 {
			return literals(n.subs[0], icase)
		}
	case alt:
		var all []string
		for _, sub := range n.subs {
			some := literals(sub, icase)
			if len(some) == 0 || len(all)+len(some) > maxLiterals {
				return nil
			}
			all = append(all, some...)
		}
		return all
	case cat:
		return literalsOfCat(n.subs, icase)
	}
	return nil
}

// literalsOfCat chooses the best of the runs of plain bytes in a sequence and
// of what its members need.
func literalsOfCat(subs []*node, icase bool) (best []string) {
	var run []byte
	consider := func(some []string) {
		if better(some, best) {
			best = some
		}
	}
	for _, sub := range subs {
		if sub.kind == set {
			if c, ok := literalByte(sub.set, icase); ok {
				if len(run) < maxLiteralLen {
					run = append(run, c)
				}
				continue
			}
		}
		if len(run) > 0 {
			consider([]string{string(run)})
		}
		run = nil
		consider(literals(sub, icase))
	}
	if len(run) > 0 {
		consider([]string{string(run)})
	}
	return best
}

// better reports whether a filters better than b: its shortest text is longer, or
// it has fewer.
func better(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) > 0
	}
	if x, y := shortest(a), shortest(b); x != y {
		return x > y
	}
	return len(a) < len(b)
}

func shortest(texts []string) int {
	n := len(texts[0])
	for _, t := range texts {
		n = min(n, len(t))
	}
	return n
}

// literalByte is the one ASCII byte of a set, in lower case when case is ignored.
func literalByte(b *bytes256, icase bool) (byte, bool) {
	c, ok := b.only(icase)
	if !ok || c >= 0x80 {
		return 0, false
	}
	if icase {
		c = lower(c)
	}
	return c, true
}
