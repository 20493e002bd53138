package http1

// lengthState says what the Content-Length fields of a head amount to.
type lengthState uint8

const (
	lengthAbsent lengthState = iota
	lengthGood
	lengthBad
)

// addLength enters one Content-Length. An equal second one is dropped by a
// relaxed parser. A differing one is a fault of a request, since the two ends
// of a connection may each believe another one (RFC 9112 section 6.3); in a
// reply the largest counts, as in 2.6 (forward/reply-two-cl-differ), is the
// only one passed on, and the connection is not used again.
func (f *Fields) addLength(value []byte, folded, relaxed bool) (keep bool, fault Fault) {
	n, ok := ParseLength(value)
	if folded {
		ok = false
	}
	state := lengthGood
	if !ok {
		state = lengthBad
	}
	switch {
	case f.lengthState == lengthAbsent:
		f.length, f.lengthState = n, state
		return true, NoFault
	case !relaxed:
		return false, InvalidFields
	case ok && f.lengthState == lengthGood && n == f.length:
		return false, NoFault
	case !f.largestLength:
		return false, InvalidLength
	}
	f.lengthsDiffer = true
	if ok && (f.lengthState == lengthBad || n > f.length) {
		f.Delete(ContentLength)
		f.length, f.lengthState = n, lengthGood
		return true, NoFault
	}
	return false, NoFault
}

// ParseLength reads a Content-Length: decimal digits and nothing else, at most
// 18 of them.
func ParseLength(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if class[c]&isDigit == 0 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// disguisedFraming reports whether a name that is not registered looks like a
// framing field to a sloppier parser: other characters in or around it, or "_"
// for "-". Such a message is refused, since the next hop or the one before us
// may have framed the body by it.
func disguisedFraming(key []byte) bool {
	if len(key) < len("Content-Length")-1 {
		return false
	}
	return looksLike(key, "content-length") || looksLike(key, "transfer-encoding")
}

// looksLike compares key with want, skipping what is neither letter nor digit
// in both, provided key has something no token has or "_" in it.
func looksLike(key []byte, want string) bool {
	odd, j := false, 0
	for _, c := range key {
		if class[c]&isToken == 0 || c == '_' {
			odd = true
		}
		lc := lowered[c]
		if (lc < 'a' || lc > 'z') && (lc < '0' || lc > '9') {
			continue
		}
		for j < len(want) && want[j] == '-' {
			j++
		}
		if j == len(want) || want[j] != lc {
			return false
		}
		j++
	}
	return odd && j == len(want)
}
