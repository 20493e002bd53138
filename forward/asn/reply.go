package asn

import (
	"bytes"
	"errors"
	"net/netip"
)

var errNoAnswer = errors.New("the server's answer has no end, or is none")

// ParseReply takes the networks out of a server's answer: all words ADDRESS/BITS, other
// words are passed over as 2.6 does. The answer is whole only when its last word says so
// (C: that was all, D: it knows no such number): in one that was cut off the last network
// may be the beginning of its word, /2 of /24.
func ParseReply(reply []byte) ([]netip.Prefix, error) {
	var list []netip.Prefix
	ended := false
	for word := range bytes.FieldsSeq(reply) {
		if ended = len(word) == 1 && (word[0] == 'C' || word[0] == 'D'); ended || bytes.IndexByte(word, '/') < 0 {
			continue
		}
		p, err := netip.ParsePrefix(string(word))
		if err == nil && p.Addr().Is4() {
			list = append(list, p.Masked())
		}
	}
	if !ended {
		return nil, errNoAnswer
	}
	return list, nil
}
