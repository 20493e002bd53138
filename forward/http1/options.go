package http1

// Options steer the parsing of heads. They come from the configuration and are
// shared, read-only, by all connections.
type Options struct {
	// Relaxed repairs what Squid 2.6 repairs (relaxed_header_parser on or warn)
	// instead of refusing it.
	Relaxed bool
	// MaxHead bounds a head in bytes: request_header_max_size or
	// reply_header_max_size. Zero or less means DefaultMaxHead.
	MaxHead int
	// Methods is the set of methods accepted; nil means the built-in ones.
	Methods *Methods
	// HTTP11 makes the message rules those of HTTP/1.1: chunked request bodies
	// are understood and connections persist by default. Without it a
	// transfer coding in a request is unsupported, as in Squid 2.6.
	HTTP11 bool
	// RequestEntities lets GET and HEAD carry a body (request_entities).
	RequestEntities bool
}

// DefaultMaxHead is the default of request_header_max_size and
// reply_header_max_size, in bytes.
const DefaultMaxHead = 20 << 10

// maxFields bounds the number of fields of one head, whatever its size.
const maxFields = 10000

func (o *Options) maxHead() int {
	if o.MaxHead <= 0 {
		return DefaultMaxHead
	}
	return o.MaxHead
}
