package http1

import "bytes"

// NextItem takes the first member off a comma-separated list: quoted strings
// are kept whole, blanks around members and empty members are skipped. item is
// empty when the list is exhausted.
func NextItem(list []byte) (item, rest []byte) {
	if bytes.IndexByte(list, ',') < 0 { // the only one, as nearly always
		return trimSpace(list), nil
	}
	return nextItem(list, ',')
}

// nextItem is NextItem with a second separator (";" for Cookie); the comma
// separates always, since fields of one name may have been joined.
func nextItem(list []byte, separator byte) (item, rest []byte) {
	i := 0
	for i < len(list) && (list[i] == ',' || list[i] == separator || class[list[i]]&isSpace != 0) {
		i++
	}
	start, quoted := i, false
	for i < len(list) {
		c := list[i]
		switch {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\' && i+1 < len(list):
			i++
		case !quoted && (c == ',' || c == separator):
			return trimSpace(list[start:i]), list[i:]
		}
		i++
	}
	return trimSpace(list[start:]), nil
}

// ListHas reports whether a comma-separated list has the member, compared without
// regard to case.
func ListHas[T ~string | ~[]byte](list []byte, member T) bool {
	if len(list) < len(member) {
		return false
	}
	for {
		item, rest := NextItem(list)
		if len(item) == 0 {
			return false
		}
		if EqualFold(item, member) {
			return true
		}
		list = rest
	}
}

// ListMember finds "name=value" in a list with the given separator beside the
// comma and returns the value; nil when there is no such member. The name is
// compared with case: it is how logformat's {Field:member} looks into Cookie
// and Accept.
func ListMember(list []byte, separator byte, name string) []byte {
	for {
		item, rest := nextItem(list, separator)
		if len(item) == 0 {
			return nil
		}
		if len(item) > len(name) && string(item[:len(name)]) == name && item[len(name)] == '=' {
			return item[len(name)+1:]
		}
		list = rest
	}
}
