package report

import (
	"bytes"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"go.uber.org/zap"
)

// mostOdd is how many lines one head causes.
const mostOdd = 8

// Odd tells what is odd in fields, in 2.6's words. With relaxed_header_parser warn that
// includes what is forgiven, else only those who ask for level 2 are told that.
func (s *Sections) Odd(f *http1.Fields, warn bool) {
	f.Oddities(mostOdd, func(o http1.Oddity, line []byte) {
		switch {
		case o == http1.Unparseable:
			s.Fields.Traffic("WARNING: unparseable HTTP header field {{field}}", zap.ByteString("field", line))
		case warn:
			s.Fields.Traffic("NOTICE: Whitespace after header name in '{field}'", zap.ByteString("field", line))
		default:
			s.Fields.Say(2, "NOTICE: Whitespace after header name in '{field}'", zap.ByteString("field", line))
		}
	})
}

// Received is a request that may not have been understood.
type Received struct {
	Client  netip.AddrPort
	Fault   http1.Fault
	Head    []byte // as it came
	Target  []byte // the URL asked for
	Options *http1.URLOptions
}

// Invalid tells what is wrong with a request, in 2.6's words, which those who watch the
// log know.
func (s *Sections) Invalid(r *Received) {
	switch r.Fault {
	case http1.NoFault, http1.InvalidFields, http1.InvalidLength, http1.AmbiguousFraming, http1.UnsupportedCoding, http1.UnexpectedBody:
		return
	case http1.UnsupportedMethod:
		method, _, _ := bytes.Cut(r.Head, []byte{' '})
		method, _, _ = bytes.Cut(method, []byte{'\r'})
		s.Client.Traffic("parseHttpRequest: Unsupported method '{method}'", zap.ByteString("method", method[:min(len(method), 64)]))
	case http1.InvalidURL:
		switch http1.WhyInvalid(r.Target, r.Options) {
		case http1.URLTooLong:
			s.URL.Traffic("urlParse: URL too large ({length} bytes)", zap.Int("length", len(r.Target)))
		case http1.BadHost:
			host := http1.HostOf(r.Target)
			s.URL.Traffic("urlParse: Illegal character in hostname '{host}'", zap.ByteString("host", host[:min(len(host), 256)]))
		}
	}
	s.Client.Traffic("clientReadRequest: client {client} Invalid Request", zap.Stringer("client", r.Client))
}
