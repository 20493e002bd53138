package caching

import (
	"bytes"
	"fmt"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"go.uber.org/zap"
)

// keeping is what becomes of a reply: whether it is stored, and how it is described
// then.
type keeping struct {
	kept   bool
	object freshness.Object
	length int64 // of the body, -1 for one that is not known
	// partial: the reply is a 206 with all of a body of that length.
	partial int64
}

// keeps decides about the reply whose head a fetch has.
func (c *Cache) keeps(p *Policy, rule *freshness.Rule, asked *freshness.Request, f *fetch.Fetch, requested int64) keeping {
	k := keeping{length: bodyLength(f.Framing())}
	var verdict freshness.Keeping
	q := *asked
	q.Authorized = f.SentAuthorization() // an accelerator's client's may go no further
	verdict, k.object = p.Rules.Keep(rule, &q, &f.Reply, freshness.Times{Requested: requested, Received: time.Now().Unix()}, f.ToPeer())
	if say := c.Fetching.Say.Store; say.On(3) {
		say.Say(3, "reply {status} of {length} octets for the store: {verdict}",
			zap.Int("status", f.Reply.Status), zap.Int64("length", k.length), zap.String("verdict", fmt.Sprint(verdict)))
	}
	if whole, ok := freshness.WholePart(&f.Reply); ok {
		k.length, k.partial = whole, whole
	}
	if verdict.Never() || f.Exceeds() || f.ToProxyOnly() || len(f.Reply.Head) == 0 || !c.Store.Takes(k.length) {
		return k
	}
	k.kept, _ = f.Verified()
	return k
}

// bodyLength is the length of a body in bytes, -1 when it is not known.
func bodyLength(b http1.Body) int64 {
	switch b.Framing {
	case http1.NoBody:
		return 0
	case http1.ByLength:
		return b.Length
	}
	return -1
}

// publish decides whether the reply whose head is there is stored, and if so gives
// the entry its head. False says that it is not: the entry has been withdrawn, and
// the fetch is its client's alone.
func (f *Filling) publish() bool {
	k := f.keeping
	if !k.kept { // not decided yet
		k = f.cache.keeps(f.policy, f.rule, &f.asked, &f.Fetch, f.requested)
	}
	at := f.place()
	f.cache.supersedeHead(&f.Fetch, at)
	if !k.kept {
		if !f.spares {
			f.cache.supersede(&f.Fetch, at, f.superseded)
		}
		f.entry.Withdraw()
		return false
	}
	f.partial = k.partial
	h := k.head(f.key, &f.Reply, f.rule)
	if k.object.Has(freshness.Varies) {
		f.entry.Unlist() // who waits finds the list there
		if !f.cache.enterVariant(&f.ctx, f.policy, at, &f.Fetch, &h) {
			f.entry.Withdraw()
			return false
		}
	}
	f.cache.noteHead(at.method)
	f.cache.joins.drop(f.key)
	f.published = true
	f.entry.Publish(&h)
	return true
}

// head is that of a reply that is kept, as the store has it under a plain key.
func (k *keeping) head(key store.Key, rep *http1.Reply, rule *freshness.Rule) store.Head {
	return store.Head{Key: key, Bytes: storedHead(rep, k.length), Metadata: metadataOf(&k.object, rule), Length: k.length}
}

// storedHead is the head of a reply as it is stored: as it came, without a coding of
// its hop. A 206 is stored as the 200 it could have been, with a body of size bytes.
func storedHead(rep *http1.Reply, size int64) []byte {
	part := rep.Status == 206
	if !part && !rep.Has(http1.TransferEncoding) {
		return rep.Head
	}
	var out http1.Outgoing
	for i := range rep.Len() {
		switch id := rep.ID(i); {
		case id == http1.TransferEncoding, id == http1.Trailer, part && id == http1.ContentRange:
		case part && id == http1.ContentLength:
			out.AddInt(id, size)
		default:
			out.Copy(&rep.Fields, i)
		}
	}
	line := bytes.Clone(rep.Head[:rep.LineLen])
	if part {
		line = fmt.Appendf(nil, "HTTP/%d.%d 200 OK\r\n", rep.Major, rep.Minor)
	}
	return out.Append(line)
}

// metadataOf is what the store keeps of a description. What is asked about before each
// use is over at once: 2.6, which keeps none of that kind, goes by the time alone.
func metadataOf(o *freshness.Object, rule *freshness.Rule) store.Metadata {
	f := store.Metadata{
		Timestamp: store.TimeOf(o.Timestamp), Expires: store.TimeOf(o.Expires), LastMod: store.TimeOf(o.LastModified),
	}
	if o.Has(freshness.Negative) {
		f.Flags |= store.Negative
	}
	if o.Has(freshness.NeverStale) {
		f.Flags |= store.Revalidate
	}
	if o.Has(freshness.AskedAlways) {
		f.Flags |= store.RefreshRequest
		if !rule.IgnoreNoCache {
			f.Expires = min(f.Expires, f.Timestamp)
		}
	}
	return f
}
