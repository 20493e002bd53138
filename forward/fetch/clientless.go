package fetch

import (
	"context"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Clientless is a fetch of the proxy's own, for no client: its request goes out in
// nobody's name, and it owns all it needs. Get makes one; Close it.
type Clientless struct {
	Fetch

	head, target, canonicalURL []byte
	parsed                     http1.Request
	url                        http1.URL
	clientlessState
}

// clientlessState is cleared as a whole.
type clientlessState struct {
	request Request
	facts   acl.Facts
}

var clientless = sync.Pool{New: func() any {
	c := new(Clientless)
	c.Init()
	return c
}}

// Get asks for a URL by GET, with those fields, where any request for it would go.
// facts are what access lists are told beside the request. It returns when the head
// of a reply is there; a failure leaves nothing to close.
func (e *Env) Get(ctx context.Context, p *Policy, url string, fields *http1.Outgoing, facts acl.Facts) (*Clientless, *failure.Failure) {
	c := clientless.Get().(*Clientless)
	why := c.ask(url, fields, facts, p)
	if why == nil {
		c.Begin(ctx, e, p, &c.request)
		if why = c.Choose(); why == nil {
			why = c.Head()
		}
	}
	if why != nil {
		c.Close()
		return nil, why
	}
	return c, nil
}

// ask makes the request.
func (c *Clientless) ask(url string, fields *http1.Outgoing, facts acl.Facts, p *Policy) *failure.Failure {
	c.head = append(append(append(c.head[:0], "GET "...), url...), " HTTP/1.0\r\n"...)
	c.head = fields.Append(c.head)
	if _, state := c.parsed.Parse(c.head, &p.Request); state != http1.Complete {
		return failure.OfFault(c.parsed.Fault)
	}
	c.target = append(c.target[:0], url...)
	if fault := c.url.Parse(http1.GET, c.target, &p.URL); fault != http1.NoFault {
		return failure.OfFault(fault)
	}
	switch c.url.Scheme {
	case http1.SchemeURN, http1.SchemeInternal, http1.SchemeCacheObject:
		return failure.SchemeUnserved()
	}
	c.canonicalURL = c.url.AppendCanonical(c.canonicalURL[:0])
	c.facts = facts
	c.facts.Method, c.facts.URL, c.facts.Request, c.facts.Reply = http1.GET, &c.url, &c.parsed.Fields, nil
	c.facts.Accelerated, c.facts.Transparent, c.facts.Internal = false, false, false
	c.request = Request{
		Method: http1.GET, MethodText: c.parsed.MethodText, // without version, as 2.6's own requests (recorded in Via)
		Fields: &c.parsed.Fields, URL: &c.url, CanonicalURL: c.canonicalURL,
		Control: c.parsed.CacheControl(), Facts: &c.facts, Began: time.Now(),
	}
	return nil
}

// Close gives back what the fetch holds.
func (c *Clientless) Close() {
	c.Leave()
	c.Reset()
	c.parsed.Reset()
	c.url.Reset()
	c.clientlessState = clientlessState{}
	if !c.Oversized() {
		clientless.Put(c)
	}
}
