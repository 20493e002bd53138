package http1

import "bytes"

// hidden stands in logs where credentials were.
const hidden = "***"

// AppendLogged appends the fields as AppendLines does, as a log may show them: without
// the passwords of Authorization and Proxy-Authorization.
func (f *Fields) AppendLogged(dst []byte) []byte {
	for i := range f.list {
		dst = append(append(dst, f.Key(i)...), ": "...)
		if HoldsCredentials(f.ID(i)) {
			dst = AppendLoggedCredentials(dst, f.Value(i))
		} else {
			dst = append(dst, f.Value(i)...)
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// AppendLoggedCredentials appends the value of such a field without what proves the
// client to be who it says. Of the schemes only Digest tells nothing that is of use to
// who reads the log.
func AppendLoggedCredentials(dst, value []byte) []byte {
	scheme, _, ok := bytes.Cut(value, []byte{' '})
	switch {
	case !ok:
		return append(dst, hidden...)
	case bytes.EqualFold(scheme, []byte("Digest")):
		return append(dst, value...)
	}
	return append(append(append(dst, scheme...), ' '), hidden...)
}

// HoldsCredentials reports whether the values of a request field are credentials.
func HoldsCredentials(id Name) bool { return id == Authorization || id == ProxyAuthorization }

// AppendLoggedHead appends a request's head as a log may show it.
func AppendLoggedHead(dst, head []byte) []byte {
	secret := false // the line before
	for len(head) > 0 {
		line := head
		if end := bytes.IndexByte(head, '\n'); end >= 0 {
			line = head[:end+1]
		}
		head = head[len(line):]
		if secret && (line[0] == ' ' || line[0] == '\t') {
			continue
		}
		name, value, ok := bytes.Cut(line, []byte{':'})
		if secret = ok && HoldsCredentials(LookupName(name)); !secret {
			dst = append(dst, line...)
			continue
		}
		dst = append(append(dst, name...), ": "...)
		dst = append(AppendLoggedCredentials(dst, bytes.TrimSpace(value)), "\r\n"...)
	}
	return dst
}
