package forward

import (
	"bytes"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// keeping is what becomes of a reply: whether it is stored, and how it is described
// then.
type keeping struct {
	kept   bool
	object freshness.Object
	length int64 // of the body, -1 for one that is not known
}

// keepsReply decides about the reply whose head a fetch has.
func (x *transaction) keepsReply(f *fetch.Fetch, requested int64) keeping {
	return keepReply(x.p, x.cl.srv.store, x.cached.rule, &x.cached.asked, f, requested)
}

func keepReply(p *policy, s *store.Store, rule *freshness.Rule, asked *freshness.Request, f *fetch.Fetch, requested int64) keeping {
	k := keeping{length: bodyLength(f.Framing())}
	var verdict freshness.Keeping
	verdict, k.object = p.fetch.Rules.Keep(rule, asked, &f.Reply, freshness.Times{Requested: requested, Received: time.Now().Unix()}, f.ToPeer())
	if verdict.Never() || len(f.Reply.Head) == 0 || !s.Takes(k.length) {
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

// supersede takes away what a reply that is not stored itself shows to be out of
// date.
func (x *transaction) supersede(f *fetch.Fetch, key store.Key) {
	if !freshness.Supersedes(f.Reply.Status) {
		return
	}
	if verified, _ := f.Verified(); verified {
		x.cl.srv.store.Purge(key)
	}
}

// publish decides whether the reply whose head is there is stored, and if so gives
// the entry its head. False says that it is not: the entry has been withdrawn, and
// the fetch is its client's alone.
func (f *filling) publish() bool {
	k := keepReply(f.p, f.srv.store, f.rule, &f.asked, &f.Fetch, f.began.Requested)
	if !k.kept {
		if verified, _ := f.Verified(); verified && freshness.Supersedes(f.Reply.Status) {
			f.srv.store.Purge(f.key)
		}
		f.entry.Withdraw()
		return false
	}
	rep := &f.Reply
	h := store.Head{Key: f.key, Bytes: storedHead(rep), Facts: factsOf(&k.object), Length: k.length}
	if k.object.Has(freshness.Varies) {
		vary := rep.AppendList(nil, http1.Vary)
		data, ok := freshness.AppendVaryData(nil, vary, f.Asked().Fields)
		if !ok {
			f.entry.Withdraw()
			return false
		}
		h.Vary, h.Key = data, f.variantKey(data)
		tag := rep.Get(http1.ETag)
		if f.brokenEncoding() {
			tag = nil // as good as none: other encodings have it too
		}
		f.srv.addVariant(f, vary, freshness.Variant{Key: h.Key, ETag: string(tag), Data: []string{string(data)}})
	}
	f.entry.Publish(&h)
	return true
}

func (f *filling) variantKey(data []byte) store.Key {
	parts := store.KeyParts{Method: f.Asked().Method, URL: f.Asked().KeptAs(), Vary: data, Group: []byte(f.Asked().Facts.URLGroup)}
	return parts.Key()
}

// brokenEncoding is broken_vary_encoding: the server gives different encodings the
// same entity tag.
func (f *filling) brokenEncoding() bool {
	list := &f.p.lists.BrokenVaryEncoding
	if list.Empty() {
		return false
	}
	facts := *f.Asked().Facts
	facts.Reply = &f.Reply.Fields
	return list.Check(f.ctx, &facts).Allowed()
}

// storedHead is the head of a reply as it is stored: as it came, without a coding of
// its hop.
func storedHead(rep *http1.Reply) []byte {
	if !rep.Has(http1.TransferEncoding) {
		return rep.Head
	}
	var out http1.Outgoing
	for i := range rep.Len() {
		if rep.ID(i) != http1.TransferEncoding && rep.ID(i) != http1.Trailer {
			out.Copy(&rep.Fields, i)
		}
	}
	return out.Append(bytes.Clone(rep.Head[:rep.LineLen]))
}

// factsOf is what the store keeps of a description.
func factsOf(o *freshness.Object) store.Facts {
	f := store.Facts{
		Timestamp: store.TimeOf(o.Timestamp), Expires: store.TimeOf(o.Expires), LastMod: store.TimeOf(o.LastModified),
	}
	if o.Has(freshness.Negative) {
		f.Flags |= store.Negative
	}
	return f
}

// addVariant enters a variant into the list under the plain key of its URL.
func (s *Server) addVariant(f *filling, vary []byte, v freshness.Variant) {
	s.varying.Lock()
	defer s.varying.Unlock()
	now := time.Now()
	list := freshness.AddVariant(s.variantsOf(f, now), v)
	expires := now.Unix() + freshness.VariantsLife
	body := freshness.AppendVariants(nil, list)
	var out http1.Outgoing
	out.AddString(http1.Server, f.p.product)
	out.Set(http1.AppendDate(out.Pieces(), now)).End(http1.Date)
	out.AddString(http1.ContentType, freshness.VariantsType)
	out.Set(http1.AppendDate(out.Pieces(), time.Unix(expires, 0))).End(http1.Expires)
	out.Add(http1.Vary, vary)
	marker := &made{}
	e := s.store.Begin(store.Opening{Key: f.key, Method: f.Asked().Method, URL: bytes.Clone(f.Asked().KeptAs())}, marker, nil)
	e.Publish(&store.Head{
		Key: f.key, Bytes: out.Append([]byte("HTTP/1.0 200 Internal marker object\r\n")), Length: int64(len(body)),
		Facts: store.Facts{Timestamp: store.TimeOf(now.Unix()), Expires: store.TimeOf(expires), LastMod: store.Unknown},
	})
	e.Append(body)
	e.Complete()
}

// variantsOf reads the list that is stored for the URL of a fetch, nil for none.
func (s *Server) variantsOf(f *filling, now time.Time) []freshness.Variant {
	var o storedObject
	if _, err := o.open(f.ctx, s.store, f.p, now, f.key, f.Asked().KeptAs(), false); err != nil {
		return nil
	}
	defer o.Close()
	if !o.isList() {
		return nil
	}
	body, err := o.readList(f.ctx)
	if err != nil {
		return nil
	}
	list, err := freshness.ParseVariants(body)
	if err != nil {
		return nil
	}
	return list
}

// made is the Filler of what is made here and whole at once.
type made struct{}

// Fill implements store.Filler.
func (*made) Fill() {}

// Wake implements store.Filler.
func (*made) Wake() {}

// Stop implements store.Filler.
func (*made) Stop() {}
