package acl

import "strings"

// String is the line as squid.conf has it behind the directive's name.
func (r *rule) String() string {
	words := make([]string, 0, 1+len(r.cond.refs))
	if words = append(words, "deny"); r.allow {
		words[0] = "allow"
	}
	for i := range r.cond.refs {
		words = append(words, r.cond.refs[i].String())
	}
	return strings.Join(words, " ")
}

// String is the word in the line.
func (r *ref) String() string {
	if r.negate {
		return "!" + r.name
	}
	return r.name
}

// number is a decision as 2.6 writes it.
func number(allowed bool) int {
	if allowed {
		return 1
	}
	return 0
}

// String is an outcome as the trace shows it.
func (t Ternary) String() string {
	switch t {
	case No:
		return "0"
	case Yes:
		return "1"
	case AskCredentials:
		return "credentials needed"
	case Missing:
		return "nothing that is known"
	}
	return "unknown"
}
