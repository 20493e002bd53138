package forward

import (
	"bytes"
	"fmt"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// sniffed is what the first bytes of an intercepted connection say about the
// protocol spoken on it.
type sniffed uint8

const (
	sniffMore    sniffed = iota // too few to tell
	sniffHTTP                   // a request line, or the beginning of one
	sniffUnknown                // something else
)

// Bounds on what is looked at: the longest method, the longest first line of a
// method we do not know.
const (
	sniffMethod = 32
	sniffLine   = 4 << 10
)

// sniff looks at the first bytes of a connection. A method of ours with a path is
// HTTP, whatever follows; any other line has to end in an HTTP version.
func sniff(in []byte, methods *http1.Methods) sniffed {
	line := in[http1.SkipSpace(in):]
	end := 0
	for end < len(line) && isToken(line[end]) {
		end++
	}
	switch {
	case end > sniffMethod || len(in) > sniffLine && end == len(line):
		return sniffUnknown
	case end == len(line):
		return sniffMore
	case end == 0 || line[end] != ' ' && line[end] != '\t':
		return sniffUnknown
	}
	known := methods.Lookup(line[:end]) != http1.NoMethod
	newline := bytes.IndexByte(line, '\n')
	switch {
	case known && end+1 < len(line) && line[end+1] == '/':
		return sniffHTTP
	case newline >= 0 && bytes.Contains(line[:newline], []byte(" HTTP/")):
		return sniffHTTP
	case newline < 0 && len(line) < sniffLine:
		return sniffMore
	case newline < 0 && known:
		return sniffHTTP
	}
	return sniffUnknown
}

// isToken tells the characters a method is made of (RFC 9110 section 5.6.2).
func isToken(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' ||
		bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}

// mayBeOther decides, when an intercepted client is welcomed, whether its first
// bytes are looked at (intercept_unknown_protocol tunnel).
func (cl *client) mayBeOther() {
	cl.sniffing = cl.intercepted && cl.srv.current.Load().cfg.TunnelUnknownProtocol
}

// sniffEnd is until when the client may take to show what it speaks; zero when
// there is no such limit.
func (cl *client) sniffEnd() time.Time {
	if limit := cl.srv.current.Load().cfg.InterceptSniffTime; cl.sniffing && limit > 0 {
		return cl.since.Add(limit)
	}
	return time.Time{}
}

// sniff reports whether x.in is to be parsed as HTTP, must wait for more bytes, or
// belongs to a tunnel.
func (cl *client) sniff() sniffed {
	if !cl.sniffing || cl.passes {
		return sniffHTTP // or TLS: see readHello
	}
	verdict := sniff(cl.x.in, cl.x.p.request.Methods)
	if verdict != sniffMore {
		cl.sniffing = false
	}
	return verdict
}

// silent reports whether the wait ended because the client showed nothing to go
// by in the time it had: then its server is the one to speak first.
func (cl *client) silent() bool {
	if end := cl.sniffEnd(); end.IsZero() || time.Now().Before(end) || cl.c.Aborted() || cl.srv.stopping.Load() {
		return false
	}
	cl.sniffing = false
	if cl.x == nil {
		cl.x = cl.srv.newTransaction(cl)
	}
	cl.x.other = true
	return true
}

// tunnelBlind joins an intercepted client that does not speak HTTP to where it
// wanted to connect. http_access decides by addresses and port alone: there is
// no method. It is logged as the CONNECT it amounts to. A client that may not, or
// whose server cannot be reached, is cut off without a page it would not understand.
func (x *transaction) tunnelBlind() bool {
	x.tag = "TCP_DENIED"
	x.now = time.Now()
	x.began = x.cl.since
	r, srv := &x.reply, x.cl.srv
	x.headless()
	x.fillFacts()
	x.facts.Transparent = true // nobody there to ask for credentials
	if a := x.p.lists.HTTPAccess.Check(x.context(), &x.facts); !a.Allowed() {
		r.Status = 403
		return false
	}
	x.tag = "TCP_MISS"
	srv.blind.Add(1)
	if client := x.cl.remote.Addr(); srv.tunnelled.May(client, x.now) {
		srv.parts.Log.Info(fmt.Sprintf("client %s does not speak HTTP to %s: joined to it", client, x.cl.meant))
	}
	x.beginFetch()
	defer x.leave()
	if f := x.fetch.ConnectTo(x.cl.meant); f != nil {
		r.Status = 503
		return false
	}
	r.Status = 200
	x.bodyUsed = len(x.in)
	if !x.sendEarly(x.in) {
		return false
	}
	x.join(true)
	return false
}

// headless gives the transaction the URL and the log line of a CONNECT to where
// the client wanted to go.
func (x *transaction) headless() {
	x.target = fmt.Appendf(x.target[:0], "%v", x.cl.meant)
	if x.url.Parse(http1.CONNECT, x.target, &http1.URLOptions{}) != http1.NoFault {
		// An address that only means something on its own link.
		x.url.Host, x.url.Port, x.url.Authority = x.target, x.cl.meant.Port(), true
	}
	x.hasURL = true
	x.req.Reset()
	x.req.MethodText = "CONNECT" // for the log; access lists see none
	x.logURL = append(x.logURL[:0], x.target...)
	x.canonicalURL = append(x.canonicalURL[:0], x.target...)
}
