package caching

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// place is where in the store a reply belongs: a URL in a urlgroup, and the plain key of
// that.
type place struct {
	method http1.Method
	url    []byte
	group  string
	key    store.Key
}

// of is the place of what another method brings there; its plain key is not asked for.
func (p *place) of(method http1.Method) *place {
	return &place{method: method, url: p.url, group: p.group}
}

// place is that of the request, whose key is known.
func (r *Request) place() *place { return &place{r.Request.Method, r.keptAs(), r.Group, r.key} }

// place is that of the fetch.
func (f *Filling) place() *place {
	return &place{f.Asked().Method, f.Asked().KeptAs(), f.Asked().Facts.URLGroup, f.key}
}

// variantKey is the key of what data selects there.
func (p *place) variantKey(data []byte) store.Key {
	parts := store.KeyParts{Method: p.method, URL: p.url, Vary: data, Group: []byte(p.group)}
	return parts.Key()
}

// enterVariant makes h, the head of a reply that varies, that of a variant and enters it
// into the list under the plain key of its URL. It is false where that cannot be.
func (c *Cache) enterVariant(ctx context.Context, p *Policy, at *place, f *fetch.Fetch, h *store.Head) bool {
	vary := f.Reply.AppendList(nil, http1.Vary)
	data, ok := freshness.AppendVaryData(nil, vary, f.Asked().Fields)
	if !ok {
		return false
	}
	h.Vary, h.Key = data, at.variantKey(data)
	tag := f.Reply.Get(http1.ETag)
	if brokenEncoding(ctx, p, f) {
		tag = nil // as good as none: other encodings have it too
	}
	return c.addVariant(ctx, p, at, vary, freshness.Variant{Key: h.Key, ETag: string(tag), Data: []string{string(data)}})
}

// brokenEncoding is broken_vary_encoding: the server gives different encodings the
// same entity tag.
func brokenEncoding(ctx context.Context, p *Policy, f *fetch.Fetch) bool {
	list := &p.Lists.BrokenVaryEncoding
	if list.Empty() {
		return false
	}
	facts := *f.Asked().Facts
	facts.Reply = &f.Reply.Fields
	return list.Check(ctx, &facts).Allowed()
}

// addVariant enters a variant into the list under the plain key of its URL. It is false
// where the list is there and cannot be read now: then it stays as it is.
func (c *Cache) addVariant(ctx context.Context, p *Policy, at *place, vary []byte, v freshness.Variant) bool {
	defer c.varying.lock(at.key)()
	now := time.Now()
	list, _, err := c.variantsOf(ctx, p, at.key, at.url, now)
	if err != nil {
		return false
	}
	list = freshness.AddVariant(list, v)
	expires := now.Unix() + freshness.VariantsLife
	body := freshness.AppendVariants(nil, list)
	var out http1.Outgoing
	out.AddString(http1.Server, p.Product)
	out.Set(http1.AppendDate(out.Pieces(), now)).End(http1.Date)
	out.AddString(http1.ContentType, freshness.VariantsType)
	out.Set(http1.AppendDate(out.Pieces(), time.Unix(expires, 0))).End(http1.Expires)
	out.Add(http1.Vary, vary)
	c.Store.Put(&store.Opening{Key: at.key, Method: at.method, URL: at.url}, &store.Head{
		Key: at.key, Bytes: out.Append([]byte("HTTP/1.0 200 Internal marker object\r\n")), Length: int64(len(body)), Internal: true,
		Metadata: store.Metadata{Timestamp: store.TimeOf(now.Unix()), Expires: store.TimeOf(expires), LastMod: store.Unknown},
	}, body)
	return true
}

// variantsOf reads the list that is stored under the plain key of a URL, nil for none, or
// for one that is damaged, with the names of the fields that tell them apart. The error says
// that it cannot be read now.
func (c *Cache) variantsOf(ctx context.Context, p *Policy, key store.Key, url []byte, now time.Time) (list []freshness.Variant, vary []byte, err error) {
	var o Object
	_, err = o.open(ctx, c.Store, p, now, key, url, false)
	if err != nil {
		return nil, nil, unlessGone(err)
	}
	defer o.Close()
	if !o.isList() {
		return nil, nil, nil
	}
	body, err := o.readList(ctx)
	if err != nil {
		return nil, nil, unlessGone(err)
	}
	list, err = freshness.ParseVariants(body)
	if err != nil {
		return nil, nil, nil
	}
	return list, bytes.Clone(o.Reply.Get(http1.Vary)), nil
}

// unlessGone is the error of opening what is stored, nil where nothing is, or nothing
// that could ever be read.
func unlessGone(err error) error {
	if err == errNothing || errors.Is(err, store.ErrSwapFail) {
		return nil
	}
	return err
}
