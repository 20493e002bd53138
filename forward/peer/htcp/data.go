package htcp

import (
	"encoding/binary"
	"errors"
)

// ErrCut is a text whose length goes beyond the data.
var ErrCut = errors.New("htcp: data ends within a text")

// Specifier names a request (RFC 2756 section 3.2): what TST and CLR ask about.
// Version is as in "1/1". Fields is header lines, each with its CRLF.
type Specifier struct{ Method, URI, Version, Fields []byte }

// Parse reads a specifier from the beginning of data. Its texts are views.
func (s *Specifier) Parse(data []byte) error {
	return texts(data, &s.Method, &s.URI, &s.Version, &s.Fields)
}

// Append appends the specifier. A text beyond 65,535 octets gives false.
func (s *Specifier) Append(dst []byte) ([]byte, bool) {
	return appendTexts(dst, s.Method, s.URI, s.Version, s.Fields)
}

// Detail is what the answer to a TST tells: header lines of the reply, of the
// entity, and of the cache itself, each with its CRLF.
type Detail struct{ Reply, Entity, Cache []byte }

// Parse reads a detail from the beginning of data. Its texts are views.
func (d *Detail) Parse(data []byte) error { return texts(data, &d.Reply, &d.Entity, &d.Cache) }

// Append appends the detail. A text beyond 65,535 octets gives false.
func (d *Detail) Append(dst []byte) ([]byte, bool) {
	return appendTexts(dst, d.Reply, d.Entity, d.Cache)
}

// texts reads counted texts: two octets of length and the octets.
func texts(data []byte, into ...*[]byte) error {
	for _, text := range into {
		if len(data) < 2 {
			return ErrCut
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		if end > len(data) {
			return ErrCut
		}
		*text, data = data[2:end], data[end:]
	}
	return nil
}

func appendTexts(dst []byte, texts ...[]byte) ([]byte, bool) {
	for _, text := range texts {
		if len(text) > 1<<16-1 {
			return dst, false
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(text)))
		dst = append(dst, text...)
	}
	return dst, true
}
