package fetch

import (
	"bytes"
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// Owned is a fetch that owns all it is asked: it is for no client, or may outlive
// the one it began for. Own gives one; Close it.
type Owned struct {
	Fetch

	head, target, canonicalURL, logged []byte

	parsed http1.Request // of a copied request the fields alone
	url    http1.URL

	ownedState
}

// ownedState is cleared as a whole.
type ownedState struct {
	request Request
	facts   acl.Facts
	stop    func() bool // keeps the context from aborting the fetch
}

var owned = sync.Pool{New: func() any {
	o := new(Owned)
	o.Init()
	return o
}}

// Own gives a fetch that has not been asked anything.
func Own() *Owned { return owned.Get().(*Owned) }

// Copy makes a request without body the one to be fetched, in a copy that views
// nothing of the original. The copy has no client: nobody waits for it, and no
// connection is anybody's.
func (o *Owned) Copy(r *Request) {
	o.parsed.Fields.CopyFrom(r.Fields)
	o.url.CopyFrom(r.URL)
	o.canonicalURL = append(o.canonicalURL[:0], r.CanonicalURL...)
	o.facts = *r.Facts
	o.facts.URL, o.facts.Request, o.facts.Reply, o.facts.Conn, o.facts.Login = &o.url, &o.parsed.Fields, nil, nil, nil
	o.request = *r
	o.request.Fields, o.request.URL, o.request.CanonicalURL, o.request.Facts = &o.parsed.Fields, &o.url, o.canonicalURL, &o.facts
	o.logged = append(o.logged[:0], r.Logged...)
	o.request.StoreURL, o.request.Logged = bytes.Clone(r.StoreURL), o.logged
	o.request.Body, o.request.Have, o.request.Source, o.request.Waiting, o.request.Pin = http1.Body{}, nil, nil, nil, nil
}

// CopyWith is Copy with other fields, which are copied too.
func (o *Owned) CopyWith(r *Request, fields *http1.Outgoing) *failure.Failure {
	o.Copy(r)
	o.head = fields.Append(append(o.head[:0], "GET / HTTP/1.1\r\n"...))
	o.parsed.Reset()
	options := http1.Options{Relaxed: true, MaxHead: len(o.head) + 1}
	if _, state := o.parsed.Parse(o.head, &options); state != http1.Complete {
		return failure.OfFault(o.parsed.Fault)
	}
	return nil
}

// Adopt takes over a fetch of a request without body, whose head is there; ctx is
// its context from now on; who ends that aborts the fetch too. f is as if nothing had
// been begun.
func (o *Owned) Adopt(ctx context.Context, f *Fetch) {
	o.Copy(f.req)
	f.mu.Lock()
	o.mu.Lock()
	o.answer, f.answer = f.answer, o.answer
	o.target, f.target = f.target, o.target
	o.host, f.host = f.host, o.host
	o.hops, f.hops = f.hops, o.hops
	o.Reply, f.Reply = f.Reply, o.Reply
	o.state, f.state = f.state, state{}
	o.req, o.ctx = &o.request, ctx
	o.mu.Unlock()
	f.mu.Unlock()
}

// Asked is what the fetch is asked; before Start it may be changed.
func (o *Owned) Asked() *Request { return &o.request }

// Start begins the fetch of what it was asked. The end of ctx ends it, wherever it
// is.
func (o *Owned) Start(ctx context.Context, e *Env, p *Policy) {
	o.Begin(ctx, e, p, &o.request)
	o.stop = context.AfterFunc(ctx, o.Abort)
}

// Get asks for a URL by GET, with those fields, where any request for it would go, in
// nobody's name. facts are what access lists are told beside the request. It returns
// when the head of a reply is there; a failure leaves nothing to close.
func (e *Env) Get(ctx context.Context, p *Policy, url string, fields *http1.Outgoing, facts acl.Facts) (*Owned, *failure.Failure) {
	return e.get(ctx, p, url, fields, facts, func(o *Owned) *failure.Failure { return o.Choose() })
}

// GetOwn is Get for what the proxy wants for itself, with a request line of HTTP/major.0
// in Via: by way of a peer, or with nil where never_direct lets it go.
func (e *Env) GetOwn(ctx context.Context, p *Policy, by *peer.Peer, url string, fields *http1.Outgoing, major int) (*Owned, *failure.Failure) {
	return e.get(ctx, p, url, fields, acl.Facts{Client: netip.IPv4Unspecified()}, func(o *Owned) *failure.Failure {
		o.request.Major, o.request.Own = major, true
		if by == nil {
			return o.Choose()
		}
		o.hops = append(o.hops[:0], peer.Hop{Code: peer.AnyParent, Peer: by})
		return nil
	})
}

// get is Get with the hops that choose finds.
func (e *Env) get(ctx context.Context, p *Policy, url string, fields *http1.Outgoing, facts acl.Facts, choose func(*Owned) *failure.Failure) (*Owned, *failure.Failure) {
	o := Own()
	why := o.ask(url, fields, facts, p)
	if why == nil {
		o.Start(ctx, e, p)
		if why = choose(o); why == nil {
			why = o.Head()
		}
	}
	if why != nil {
		o.Close()
		return nil, why
	}
	return o, nil
}

// Read reads the body as an io.Reader.
func (o *Owned) Read(b []byte) (int, error) {
	piece, err := o.Next(len(b), true)
	return copy(b, piece), err
}

// ask makes the request of Get.
func (o *Owned) ask(url string, fields *http1.Outgoing, facts acl.Facts, p *Policy) *failure.Failure {
	o.head = append(append(append(o.head[:0], "GET "...), url...), " HTTP/1.0\r\n"...)
	o.head = fields.Append(o.head)
	if _, state := o.parsed.Parse(o.head, &p.Request); state != http1.Complete {
		return failure.OfFault(o.parsed.Fault)
	}
	o.target = append(o.target[:0], url...)
	if fault := o.url.Parse(http1.GET, o.target, &p.URL); fault != http1.NoFault {
		return failure.OfFault(fault)
	}
	switch o.url.Scheme {
	case http1.SchemeURN, http1.SchemeInternal, http1.SchemeCacheObject:
		return failure.SchemeUnserved()
	}
	o.canonicalURL = o.url.AppendCanonical(o.canonicalURL[:0])
	o.facts = facts
	o.facts.Method, o.facts.URL, o.facts.Request, o.facts.Reply = http1.GET, &o.url, &o.parsed.Fields, nil
	o.facts.Accelerated, o.facts.Transparent, o.facts.Internal = false, false, false
	o.facts.Dialled, o.facts.To = netip.AddrPort{}, netip.Addr{}
	o.request = Request{
		Method: http1.GET, MethodText: o.parsed.MethodText, // without version, as 2.6's own requests (recorded in Via)
		Fields: &o.parsed.Fields, URL: &o.url, CanonicalURL: o.canonicalURL,
		Control: o.parsed.CacheControl(), Facts: &o.facts, Began: time.Now(),
	}
	return nil
}

// Close gives back what the fetch holds.
func (o *Owned) Close() {
	o.Leave(time.Now())
	// When the context has ended somebody may be about to abort the fetch, and must
	// not find another one in its place.
	mine := o.stop == nil || o.stop()
	o.Reset()
	o.parsed.Reset()
	o.url.Reset()
	o.ownedState = ownedState{}
	if mine && !o.Oversized() {
		owned.Put(o)
	}
}
