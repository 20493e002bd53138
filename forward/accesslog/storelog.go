package accesslog

import (
	"bytes"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// StoreEntry is one line of cache_store_log: something has happened to an object
// of the cache.
type StoreEntry struct {
	Now time.Time
	// Action is 2.6's word: SWAPOUT, RELEASE, ...
	Action string
	// Dir is the number of the cache_dir and Number the file's, -1 for none.
	Dir, Number int
	Key         [16]byte
	// Head is the reply's head. Without it the line has question marks for all that
	// follows, as 2.6 has for an object that is not in memory.
	Head []byte
	// Announced is the body's length by the head, -1 unknown, and Length what came.
	Announced, Length int64
	Method            string
	// URL is shown as in access.log.
	URL []byte
}

// WantsStore reports whether there is a cache_store_log.
func (l *Logs) WantsStore() bool { return l.store != nil }

// Store puts down a line of cache_store_log.
func (l *Logs) Store(e *StoreEntry) Pending {
	if l.store == nil {
		return Pending{}
	}
	buf := lineBuffers.Get().(*[]byte)
	line := appendStore((*buf)[:0], e, l.cfg.StripQueryTerms)
	pending := l.store.put(endLine(buf, line))
	lineBuffers.Put(buf)
	return pending
}

// appendStore formats 2.6's line:
//
//	seconds.millis ACTION dir file KEY status date lastmod expires type announced/length METHOD url
func appendStore(dst []byte, e *StoreEntry, stripQuery bool) []byte {
	dst = appendMillis(dst, e.Now)
	dst = append(append(append(dst, ' '), e.Action...), ' ')
	if e.Dir < 0 {
		dst = append(dst, "-1 FFFFFFFF "...)
	} else {
		dst = append(appendPadded(dst, int64(e.Dir), 2, '0'), ' ')
		dst = append(appendNumber(dst, uint32(e.Number)), ' ')
	}
	dst = appendUpperHex(dst, e.Key[:])
	head := storeHeads.Get().(*storeHead)
	defer storeHeads.Put(head)
	if !head.read(e) {
		return append(dst, "   ?         ?         ?         ? ?/? ?/? ? ?"...)
	}
	dst = appendPadded(append(dst, ' '), int64(head.reply.Status), 4, ' ')
	for _, moment := range [...]int64{head.date, head.lastMod, head.expires} {
		dst = appendPadded(append(dst, ' '), moment, 9, ' ')
	}
	dst = append(append(append(dst, ' '), head.contentType()...), ' ')
	dst = append(strconv.AppendInt(dst, e.Announced, 10), '/')
	dst = append(strconv.AppendInt(dst, e.Length, 10), ' ')
	dst = append(append(dst, e.Method...), ' ')
	url := e.URL
	if q := bytes.IndexByte(url, '?'); stripQuery && q >= 0 {
		url = url[:q+1]
	}
	return http1.AppendLoggedText(dst, url)
}

func appendNumber(dst []byte, n uint32) []byte {
	return appendUpperHex(dst, []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func appendUpperHex(dst, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range b {
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

// storeHead is what a line shows of a reply's head.
type storeHead struct {
	reply                  http1.Reply
	date, lastMod, expires int64
}

var storeHeads = sync.Pool{New: func() any { return new(storeHead) }}

// storeHeadOptions: what is in the cache was accepted once.
var storeHeadOptions = http1.Options{Relaxed: true, MaxHead: math.MaxInt32}

// read reports whether there is a head.
func (h *storeHead) read(e *StoreEntry) bool {
	h.reply.Reset()
	if n, state := h.reply.Parse(e.Head, true, &storeHeadOptions); state != http1.Complete || n == 0 {
		return false
	}
	h.date, h.lastMod, h.expires = h.moment(http1.Date), h.moment(http1.LastModified), -1
	cc := h.reply.CacheControl()
	switch {
	case cc.Has(http1.CCSMaxAge | http1.CCMaxAge):
		h.expires = e.Now.Unix()
		if h.date >= 0 {
			age := cc.MaxAge
			if cc.Has(http1.CCSMaxAge) {
				age = cc.SMaxAge
			}
			h.expires = h.date + int64(age)
		}
	case h.reply.Has(http1.Expires):
		if h.expires = h.moment(http1.Expires); h.expires < 0 {
			h.expires = e.Now.Unix() // Expires: 0, for instance
		}
	}
	return true
}

func (h *storeHead) moment(name http1.Name) int64 {
	if t, ok := http1.ParseDate(h.reply.Get(name)); ok {
		return t.Unix()
	}
	return -1
}

// contentType is the media type without its parameters.
func (h *storeHead) contentType() []byte {
	text := h.reply.Get(http1.ContentType)
	if end := bytes.IndexAny(text, "; \t"); end >= 0 {
		text = text[:end]
	}
	if len(text) == 0 {
		return []byte("unknown")
	}
	return text
}
