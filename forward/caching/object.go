package caching

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// Object is a reader of the store with the head of what it is at. Use it again
// after Close.
type Object struct {
	store.Reader
	// Reply is its head, Described what that says about its freshness.
	Reply     http1.Reply
	Described freshness.Object
	known     *knownHead // what Reply and Described come from, nil where they were read

	key  store.Key
	list []byte // storage for lists of variants
	// accelerated: it is for a client of an accelerator.
	accelerated bool
	body        Body
	// used: something was put here that forget has to clear.
	used bool
}

// longestList bounds reading a list of variants, in bytes.
const longestList = 1 << 20

// errNothing: there is nothing under a key.
var errNothing = errors.New("nothing is stored")

// open opens what is stored under a key. joins says whether to wait for what is being
// fetched; what was waited for is the Filler given back, nil for none. Whom that does not
// serve waits for nobody else: all who waited fetch for themselves then, at once.
func (o *Object) open(ctx context.Context, s *store.Store, p *Policy, now time.Time, key store.Key, url []byte, joins bool) (waited store.Filler, _ error) {
	for {
		switch s.Lookup(now, key, url, &o.Reader) {
		case store.Miss:
			return waited, errNothing
		case store.Waiting:
			if !joins || waited != nil {
				o.Close()
				return waited, errNothing
			}
			waited = o.Filler()
			err := o.AwaitHead(ctx)
			o.Close()
			if err != nil && ctx.Err() != nil {
				return waited, err
			}
			continue
		}
		o.used = true
		o.key = key
		err := o.Load(ctx, url)
		if err == nil {
			err = o.readHead(p)
		}
		if err != nil {
			o.Close()
		}
		return waited, err
	}
}

// readHead parses the head and describes it.
func (o *Object) readHead(p *Policy) error {
	o.used, o.known = true, nil
	text, err := o.Head()
	if err != nil {
		o.Reply.Reset()
		return err
	}
	if p.Known.recall(o, text) {
		return nil
	}
	o.Reply.Reset()
	if !parseHead(&o.Reply, text, p.Policy) {
		o.Reply.Reset()
		return store.ErrSwapFail
	}
	f := o.Metadata()
	o.Described = p.Rules.Restored(&o.Reply, f.Timestamp.Unix(), f.Expires.Unix(), f.LastMod.Unix(), f.Flags&store.Negative != 0, o.accelerated)
	if o.InMemory() {
		p.Known.remember(o)
	}
	return nil
}

// forget forgets what was read and keeps the storage.
func (o *Object) forget() {
	o.Close()
	if !o.used {
		return // not even looked at: most requests need no more than one Object
	}
	o.Reply.Reset()
	o.Reply.Minor = 0 // as it was made
	o.key, o.list, o.Described = store.Key{}, o.list[:0], freshness.Object{}
	o.accelerated, o.body, o.used, o.known = false, Body{}, false, nil
}

// accelerate makes it one for a client of an accelerator.
func (o *Object) accelerate() { o.accelerated, o.used = true, true }

// Body begins the body: so many bytes from an offset on, or with a negative length
// all there is. Waiting for it ends with ctx.
func (o *Object) Body(ctx context.Context, from, length int64) *Body {
	if length >= 0 {
		o.SeekTo(from)
	}
	o.used = true
	o.body = Body{r: &o.Reader, ctx: ctx, left: max(length, -1)}
	return &o.body
}

// Framing is how the body is framed for a request of a method.
func (o *Object) Framing(method http1.Method) http1.Body {
	length := o.Length()
	switch {
	case method == http1.HEAD || o.Reply.Status == 204 || o.Reply.Status == 304:
		return http1.Body{}
	case length >= 0:
		return http1.Body{Framing: http1.ByLength, Length: length}
	}
	return http1.Body{Framing: http1.UntilClose, Length: -1}
}

// isList reports whether what is open lists the variants of its URL. An origin's reply of
// that type is none: one without Vary is stored as any other, one with it has a key of
// its own.
func (o *Object) isList() bool {
	return o.Reply.Has(http1.Vary) && bytes.Equal(o.Reply.Get(http1.ContentType), []byte(freshness.VariantsType))
}

// readList reads the list of variants that is open.
func (o *Object) readList(ctx context.Context) ([]byte, error) {
	o.used = true
	o.list = o.list[:0]
	b := Body{r: &o.Reader, ctx: ctx, left: -1}
	defer b.End()
	for {
		piece, err := b.Next(longestList, true)
		o.list = append(o.list, piece...)
		switch {
		case err == io.EOF:
			return o.list, nil
		case err != nil:
			return nil, err
		case len(o.list) > longestList:
			return nil, store.ErrSwapFail
		}
	}
}
