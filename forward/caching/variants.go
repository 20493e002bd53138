package caching

import (
	"bytes"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

func (f *Filling) variantKey(data []byte) store.Key {
	parts := store.KeyParts{Method: f.Asked().Method, URL: f.Asked().KeptAs(), Vary: data, Group: []byte(f.Asked().Facts.URLGroup)}
	return parts.Key()
}

// brokenEncoding is broken_vary_encoding: the server gives different encodings the
// same entity tag.
func (f *Filling) brokenEncoding() bool {
	list := &f.policy.Lists.BrokenVaryEncoding
	if list.Empty() {
		return false
	}
	facts := *f.Asked().Facts
	facts.Reply = &f.Reply.Fields
	return list.Check(f.ctx, &facts).Allowed()
}

// addVariant enters a variant into the list under the plain key of its URL.
func (c *Cache) addVariant(f *Filling, vary []byte, v freshness.Variant) {
	c.varying.Lock()
	defer c.varying.Unlock()
	now := time.Now()
	list := freshness.AddVariant(c.variantsOf(f, now), v)
	expires := now.Unix() + freshness.VariantsLife
	body := freshness.AppendVariants(nil, list)
	var out http1.Outgoing
	out.AddString(http1.Server, f.policy.Product)
	out.Set(http1.AppendDate(out.Pieces(), now)).End(http1.Date)
	out.AddString(http1.ContentType, freshness.VariantsType)
	out.Set(http1.AppendDate(out.Pieces(), time.Unix(expires, 0))).End(http1.Expires)
	out.Add(http1.Vary, vary)
	marker := &made{}
	e := c.Store.Begin(store.Opening{Key: f.key, Method: f.Asked().Method, URL: bytes.Clone(f.Asked().KeptAs())}, marker, nil)
	e.Publish(&store.Head{
		Key: f.key, Bytes: out.Append([]byte("HTTP/1.0 200 Internal marker object\r\n")), Length: int64(len(body)), Internal: true,
		Metadata: store.Metadata{Timestamp: store.TimeOf(now.Unix()), Expires: store.TimeOf(expires), LastMod: store.Unknown},
	})
	e.Append(body)
	e.Complete()
}

// variantsOf reads the list that is stored for the URL of a fetch, nil for none.
func (c *Cache) variantsOf(f *Filling, now time.Time) []freshness.Variant {
	var o Object
	if _, err := o.open(f.ctx, c.Store, f.policy.Policy, now, f.key, f.Asked().KeptAs(), false); err != nil {
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
