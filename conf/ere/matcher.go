package ere

// matchSteps bounds the work of one match: patterns with back-references can
// take exponential time, in the C library too.
const matchSteps = 1 << 20

// Matcher matches a pattern by trying all ways. It knows everything Go's syntax
// has no words for, and is slow.
type Matcher struct {
	root   *node
	groups int
	icase  bool
}

// NewMatcher makes a Matcher. The error is an *Error, as from Translate.
func NewMatcher(pattern string, icase bool) (*Matcher, error) {
	t, err := parse(pattern, icase)
	if err != nil {
		return nil, err
	}
	return &Matcher{t.root, t.groups, icase}, nil
}

// Match reports whether the pattern matches somewhere in subject, taken as bytes.
// A match that takes too many steps to find is no match.
func (m *Matcher) Match(subject string) bool {
	a := attempt{subject: subject, icase: m.icase, groups: make([]span, m.groups), steps: matchSteps}
	for at := 0; at <= len(subject) && a.steps > 0; at++ {
		if a.try(m.root, at, func(int) bool { return true }) {
			return true
		}
	}
	return false
}

type span struct {
	from, to int
	set      bool
}

// attempt is the state of one match.
type attempt struct {
	subject string
	icase   bool
	groups  []span
	steps   int
}

// try matches n at a place and goes on with then behind it; when then fails,
// the next way to match n is tried.
func (a *attempt) try(n *node, at int, then func(at int) bool) bool {
	if a.steps--; a.steps < 0 {
		return false
	}
	switch n.kind {
	case empty:
		return then(at)
	case set:
		return at < len(a.subject) && n.set.has(a.subject[at]) && then(at+1)
	case cat:
		return a.tryAll(n.subs, at, then)
	case alt:
		for _, sub := range n.subs {
			if a.try(sub, at, then) {
				return true
			}
		}
		return false
	case repeat:
		return a.tryRepeat(n, 0, at, then)
	case group:
		before := a.groups[n.number]
		if a.try(n.subs[0], at, func(to int) bool {
			inner := a.groups[n.number]
			a.groups[n.number] = span{at, to, true}
			if then(to) {
				return true
			}
			a.groups[n.number] = inner
			return false
		}) {
			return true
		}
		a.groups[n.number] = before
		return false
	case reference:
		return a.tryReference(a.groups[n.number], at, then)
	}
	return a.holds(n.kind, at) && then(at)
}

func (a *attempt) tryAll(subs []*node, at int, then func(int) bool) bool {
	if len(subs) == 0 {
		return then(at)
	}
	return a.try(subs[0], at, func(at int) bool { return a.tryAll(subs[1:], at, then) })
}

// tryRepeat has matched count times so far. A round that matched nothing is
// the last one, once there were enough.
func (a *attempt) tryRepeat(n *node, count, at int, then func(int) bool) bool {
	if n.max == -1 || count < n.max {
		if a.try(n.subs[0], at, func(to int) bool {
			if to == at && count >= n.min {
				return then(to)
			}
			return a.tryRepeat(n, count+1, to, then)
		}) {
			return true
		}
	}
	return count >= n.min && then(at)
}

func (a *attempt) tryReference(s span, at int, then func(int) bool) bool {
	length := s.to - s.from
	if !s.set || at+length > len(a.subject) {
		return false
	}
	for i := range length {
		x, y := a.subject[s.from+i], a.subject[at+i]
		if x != y && !(a.icase && upper(x) == upper(y)) {
			return false
		}
	}
	return then(at + length)
}

// holds reports whether an anchor holds at a place.
func (a *attempt) holds(k kind, at int) bool {
	before := at > 0 && word(a.subject[at-1])
	after := at < len(a.subject) && word(a.subject[at])
	switch k {
	case start:
		return at == 0
	case end:
		return at == len(a.subject)
	case wordEdge:
		return before != after
	case noWordEdge:
		return before == after
	case wordStart:
		return !before && after
	case wordEnd:
		return before && !after
	}
	return false
}
