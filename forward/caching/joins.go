package caching

import (
	"bytes"
	"sync"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// joins are bodies of which 206 replies have brought some parts: when the parts make up
// the whole it is stored (RFC 9111 section 3.4), and until then what is there answers who
// asks for no more. They lie in memory, in all at most limit bytes, beyond which the one
// that was used the longest time ago goes. The zero value is ready.
type joins struct {
	mu     sync.Mutex // guards all below
	bodies map[store.Key]*joined
	held   int64 // bytes of all blocks, those included that are only being sent
	clock  uint64
}

// joinBlock is how much memory is taken at a time, in bytes.
const joinBlock = 64 << 10

// mostJoined bounds how many bodies are joined at a time.
const mostJoined = 128

// joined is one of them.
type joined struct {
	under  store.Key // the plain key of its URL
	key    store.Key
	etag   []byte
	parts  freshness.Parts
	blocks [][]byte // nil for those of which nothing is there
	size   int64
	used   uint64 // when it was added to or read last, by clock
	gone   bool   // nobody finds it any more
	// head is that of the whole and vary its Vary, of the part that came last.
	head    store.Head
	vary    []byte
	readers int // that are sending some of it
}

// open finds the body of which a reply brings a part, or begins it. under is the plain key
// of its URL, head that of the whole, by this reply, and vary its Vary. What was there
// under its key with another entity tag, or of another size, is over.
func (j *joins) open(under store.Key, fields *http1.Fields, head *store.Head, vary []byte) *joined {
	etag, key, size := fields.Get(http1.ETag), head.Key, head.Length
	j.mu.Lock()
	defer j.mu.Unlock()
	b := j.bodies[key]
	if b != nil && (b.size != size || !bytes.Equal(b.etag, etag)) {
		j.remove(b)
		b = nil
	}
	if b == nil {
		if j.bodies == nil {
			j.bodies = map[store.Key]*joined{}
		}
		if len(j.bodies) >= mostJoined {
			j.remove(j.oldest())
		}
		b = &joined{under: under, key: key, etag: bytes.Clone(etag), size: size, blocks: make([][]byte, (size+joinBlock-1)/joinBlock)}
		j.bodies[key] = b
	}
	b.head, b.vary = *head, vary
	j.touch(b)
	return b
}

// find finds a body under a plain key that suits, of which nothing goes before release.
func (j *joins) find(under store.Key, suits func(*joined) bool) *joined {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, b := range j.bodies {
		if b.under == under && suits(b) {
			b.readers++
			j.touch(b)
			return b
		}
	}
	return nil
}

// release ends what find began.
func (j *joins) release(b *joined) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if b.readers--; b.gone {
		j.uncount(b)
	}
}

// count tells how many bodies there are and how many bytes of memory they take.
func (j *joins) count() (bodies int, held int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.bodies), j.held
}

// add adds bytes from an offset on, within limit bytes for all bodies. It reports whether
// the body is whole now: then it is the caller's alone. ok is false when nothing more will
// come of it. Bytes that are there already must be the same: a body of which they are not
// is given up.
func (j *joins) add(b *joined, at int64, p []byte, limit int64) (whole, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if b.gone {
		return false, false
	}
	j.touch(b)
	span := freshness.Span{From: at, To: at + int64(len(p))}
	same, missing := b.agrees(span, p), b.parts.Missing(span)
	parts, fits := b.parts.Join(span)
	b.parts = parts // whose storage Join has changed
	if !same || !fits {
		j.remove(b)
		return false, false
	}
	for _, s := range missing { // what is there may be on its way to somebody
		if !j.fill(b, s.From, p[s.From-at:s.To-at], limit) {
			return false, false
		}
	}
	if b.parts.Whole(b.size) {
		j.remove(b)
		return true, true
	}
	return false, true
}

// fill puts bytes into the blocks of a body from an offset on. It is false when there is
// no room: then the body is gone.
func (j *joins) fill(b *joined, at int64, p []byte, limit int64) bool {
	for len(p) > 0 {
		n, from := at/joinBlock, at%joinBlock
		if b.blocks[n] == nil {
			size := min(joinBlock, b.size-n*joinBlock)
			for j.held+size > limit {
				old := j.oldest()
				if j.remove(old); old == b {
					return false
				}
			}
			b.blocks[n] = make([]byte, size)
			j.held += size
		}
		c := copy(b.blocks[n][from:], p)
		at, p = at+int64(c), p[c:]
	}
	return true
}

// agrees reports whether p is what is there already, as far as it is.
func (b *joined) agrees(s freshness.Span, p []byte) bool {
	for _, have := range b.parts {
		from, to := max(s.From, have.From), min(s.To, have.To)
		for from < to {
			n := from / joinBlock
			end := min(to, (n+1)*joinBlock)
			if !bytes.Equal(b.blocks[n][from%joinBlock:end-n*joinBlock], p[from-s.From:end-s.From]) {
				return false
			}
			from = end
		}
	}
	return true
}

// drop forgets what has come for a URL, by its plain key.
func (j *joins) drop(under store.Key) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, b := range j.bodies {
		if b.under == under {
			j.remove(b)
		}
	}
}

func (j *joins) touch(b *joined) {
	j.clock++
	b.used = j.clock
}

// oldest is the one that was used the longest time ago; there is one.
func (j *joins) oldest() (old *joined) {
	for _, b := range j.bodies {
		if old == nil || b.used < old.used {
			old = b
		}
	}
	return old
}

// remove has nobody find a body any more. It counts as long as somebody is sending some
// of it.
func (j *joins) remove(b *joined) {
	b.gone = true
	delete(j.bodies, b.key)
	j.uncount(b)
}

func (j *joins) uncount(b *joined) {
	if b.readers > 0 {
		return
	}
	for _, block := range b.blocks {
		j.held -= int64(len(block))
	}
}
