package asn

import (
	"bytes"
	"errors"
	"net/netip"
)

var errNoAnswer = errors.New("the server's answer has no networks and does not say that there are none")

// ParseReply takes the networks out of a server's answer: all words ADDRESS/BITS, other
// words are passed over as 2.6 does. An answer without networks is one only when the
// server says so (C: there are none, D: it knows no such number).
func ParseReply(reply []byte) ([]netip.Prefix, error) {
	var list []netip.Prefix
	ended := false
	for _, word := range bytes.Fields(reply) {
		if len(word) == 1 && (word[0] == 'C' || word[0] == 'D') {
			ended = true
			continue
		}
		if bytes.IndexByte(word, '/') < 0 {
			continue
		}
		p, err := netip.ParsePrefix(string(word))
		if err == nil && p.Addr().Is4() {
			list = append(list, p.Masked())
		}
	}
	if len(list) == 0 && !ended {
		return nil, errNoAnswer
	}
	return list, nil
}
