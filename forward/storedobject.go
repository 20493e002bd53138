package forward

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

// storedObject is a reader of the store with the head of what it is at. Use it again
// after Close.
type storedObject struct {
	store.Reader
	key    store.Key
	url    []byte
	head   http1.Reply
	object freshness.Object
	// accelerated: it is for a client of an accelerator.
	accelerated bool
	// fromDisk: it was not in memory when it was opened.
	fromDisk bool
	list     []byte // storage for lists of variants
}

// Bounds of reading a list of variants, in bytes, and of waiting for fetches that
// others have begun before a request fetches for itself.
const (
	longestList = 1 << 20
	mostWaits   = 3
)

// errNothing: there is nothing under a key.
var errNothing = errors.New("nothing is stored")

// open opens what is stored under a key. joins says whether to wait for what is being
// fetched; what was waited for is the Filler given back, nil for none.
func (o *storedObject) open(ctx context.Context, s *store.Store, p *policy, now time.Time, key store.Key, url []byte, joins bool) (waited store.Filler, _ error) {
	for range mostWaits {
		switch s.Lookup(now, key, url, &o.Reader) {
		case store.Miss:
			return waited, errNothing
		case store.Waiting:
			if !joins {
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
		o.key, o.url = key, url
		o.fromDisk = o.Filler() == nil && !o.InMemory()
		err := o.Load(ctx, url)
		if err == nil {
			err = o.readHead(p)
		}
		if err != nil {
			o.Close()
		}
		return waited, err
	}
	return waited, errNothing
}

// readHead parses the head and describes it.
func (o *storedObject) readHead(p *policy) error {
	o.head.Reset()
	text, err := o.Head()
	if err != nil {
		return err
	}
	options := p.fetch.Reply
	options.MaxHead = len(text) + 1
	if _, state := o.head.Parse(text, true, &options); state != http1.Complete {
		o.head.Reset()
		return store.ErrSwapFail
	}
	f := o.Facts()
	o.object = p.fetch.Rules.Restored(&o.head, f.Timestamp.Unix(), f.Expires.Unix(), f.LastMod.Unix(), f.Flags&store.Negative != 0, o.accelerated)
	return nil
}

// forget forgets what was read and keeps the storage.
func (o *storedObject) forget() {
	o.Close()
	o.head.Reset()
	o.key, o.url, o.list, o.object, o.fromDisk = store.Key{}, nil, o.list[:0], freshness.Object{}, false
	o.accelerated = false
}

// isList reports whether what is open lists the variants of its URL.
func (o *storedObject) isList() bool {
	return bytes.Equal(o.head.Get(http1.ContentType), []byte(freshness.VariantsType))
}

// readList reads the list of variants that is open.
func (o *storedObject) readList(ctx context.Context) ([]byte, error) {
	o.list = o.list[:0]
	b := storedBody{r: &o.Reader, ctx: ctx, left: -1}
	defer b.end()
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
