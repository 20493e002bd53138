package http1

// Framing says how the end of a body is found (RFC 9112 section 6).
type Framing uint8

// Kinds of framing.
const (
	NoBody     Framing = iota // the message ends with its head
	ByLength                  // Length bytes follow
	ByChunks                  // chunked coding
	UntilClose                // the rest of the connection
)

// Body is the framing of a message and, for ByLength, its size in bytes.
type Body struct {
	Framing Framing
	Length  int64
}

// Body decides how the request's body is framed, or which Fault the request
// has. A request without length has no body. Call it once the URL is known to
// be good; it may drop the Content-Length of a message that must not have it.
func (r *Request) Body(o *Options) (Body, Fault) {
	if r.Has(TransferEncoding) {
		_, chunked := r.coding()
		switch {
		case !o.HTTP11:
			return Body{}, UnsupportedCoding
		case r.Major < 1 || r.Major == 1 && r.Minor < 1 || r.Has(ContentLength):
			return Body{}, AmbiguousFraming
		case !chunked:
			return Body{}, UnsupportedCoding
		case !o.allowsBody(r.Method):
			return Body{}, UnexpectedBody
		}
		return Body{Framing: ByChunks, Length: -1}, NoFault
	}
	length := r.ContentLength()
	if length <= 0 {
		return Body{}, NoFault
	}
	if !o.allowsBody(r.Method) {
		return Body{}, UnexpectedBody
	}
	return Body{Framing: ByLength, Length: length}, NoFault
}

func (o *Options) allowsBody(m Method) bool {
	return o.RequestEntities || m != GET && m != HEAD
}

// Body decides how the reply's body is framed, given the method of the request
// it answers; call it before Persistent. Transfer-Encoding overrides and removes
// Content-Length; an empty Transfer-Encoding is none. InvalidReply is answered for
// codings other than chunked.
//
// A CONNECT's successful reply is followed by the tunnel, which is not a body;
// the caller knows.
func (r *Reply) Body(method Method) (Body, Fault) {
	if coded, chunked := r.coding(); coded {
		if !chunked {
			return Body{}, InvalidReply
		}
		if r.Has(ContentLength) || r.Major < 1 || r.Major == 1 && r.Minor < 1 {
			r.doubtful = true // RFC 9112 sections 6.1 and 6.3
		}
		r.Delete(ContentLength)
		if r.bodiless(method) {
			return Body{}, NoFault
		}
		return Body{Framing: ByChunks, Length: -1}, NoFault
	}
	switch {
	case r.LineLen == 0 && method != HEAD:
		return Body{Framing: UntilClose, Length: -1}, NoFault
	case r.bodiless(method):
		return Body{}, NoFault
	case r.ContentLength() > 0:
		return Body{Framing: ByLength, Length: r.ContentLength()}, NoFault
	case r.ContentLength() == 0:
		return Body{}, NoFault
	}
	return Body{Framing: UntilClose, Length: -1}, NoFault
}

// bodiless reports whether the reply has no body whatever its fields say
// (RFC 9112 section 6.3, first rule).
func (r *Reply) bodiless(method Method) bool {
	return method == HEAD || r.Status < 200 || r.Status == 204 || r.Status == 304
}

// coding reports whether the fields name a transfer coding, and whether it is
// chunked, once and alone.
func (f *Fields) coding() (coded, chunked bool) {
	if !f.Has(TransferEncoding) {
		return false, false
	}
	first, rest := NextItem(f.Get(TransferEncoding))
	second, _ := NextItem(rest)
	alone := f.Count(TransferEncoding) == 1
	return len(first) > 0 || !alone, alone && len(second) == 0 && EqualFold(first, "chunked")
}

// Persistent reports whether the sender of a message with these fields and this
// version keeps the connection open: Proxy-Connection counts when present,
// else Connection; without HTTP/1.1 rules only an explicit keep-alive does,
// and not from browsers known to get it wrong. With them a close in Connection
// is the last word (RFC 9112 section 9.6).
func (f *Fields) Persistent(major, minor int, http11 bool) bool {
	which := Connection
	if f.Has(ProxyConnection) {
		which = ProxyConnection
	}
	keeps := EqualFold(f.Get(which), "keep-alive") && f.Count(which) == 1 // this and no more, as nearly always
	switch {
	case !keeps && f.ListHas(which, "close"):
		return false
	case http11 && (major > 1 || major == 1 && minor >= 1):
		return !f.ListHas(Connection, "close")
	}
	if agent := f.Get(UserAgent); agent != nil && !f.Has(Via) &&
		(hasPrefixFold(agent, "mozilla/3.") || hasPrefixFold(agent, "netscape/3.")) {
		return false
	}
	return keeps || f.ListHas(which, "keep-alive")
}
