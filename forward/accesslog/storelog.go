package accesslog

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// StoreEntry is one line of cache_store_log: something has happened to an object
// of the cache, or a reply that was never to be one is over.
type StoreEntry struct {
	Now time.Time
	// Action is 2.6's word: SWAPOUT, RELEASE, ...
	Action string
	// Dir is the number of the cache_dir and Number the file's; Dir is -1 for none.
	Dir, Number int
	Key         [16]byte
	// Known says that there is something to show behind the key. Otherwise the line has
	// question marks for it, as 2.6 has for an object that is not in memory.
	Known  bool
	Reply  StoreReply
	Method string
	// URL is shown as in access.log.
	URL []byte
}

// StoreReply is what a line shows of a reply. Moments are in seconds since 1970, -1 for
// none.
type StoreReply struct {
	Status                      int
	Date, LastModified, Expires int64
	ContentType                 []byte
	// Announced is the body's length by the head, -1 for none, and Length what came.
	Announced, Length int64
}

// NoReply is shown of a reply that never came.
var NoReply = StoreReply{Date: -1, LastModified: -1, Expires: -1, Announced: -1}

// Of makes it what a head says, at a moment.
func (r *StoreReply) Of(head *http1.Reply, now time.Time) {
	r.Status, r.ContentType, r.Announced = head.Status, head.Get(http1.ContentType), head.ContentLength()
	r.Date, r.LastModified, r.Expires = moment(head, http1.Date), moment(head, http1.LastModified), -1
	cc := head.CacheControl()
	switch {
	case cc.Has(http1.CCSMaxAge | http1.CCMaxAge):
		r.Expires = now.Unix()
		if r.Date >= 0 {
			age := cc.MaxAge
			if cc.Has(http1.CCSMaxAge) {
				age = cc.SMaxAge
			}
			r.Expires = r.Date + int64(age)
		}
	case head.Has(http1.Expires):
		if r.Expires = moment(head, http1.Expires); r.Expires < 0 {
			r.Expires = now.Unix() // Expires: 0, for instance
		}
	}
}

func moment(head *http1.Reply, name http1.Name) int64 {
	if t, ok := http1.ParseDate(head.Get(name)); ok {
		return t.Unix()
	}
	return -1
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
	if !e.Known {
		return append(dst, "   ?         ?         ?         ? ?/? ?/? ? ?"...)
	}
	r := &e.Reply
	dst = appendPadded(append(dst, ' '), int64(r.Status), 4, ' ')
	for _, at := range [...]int64{r.Date, r.LastModified, r.Expires} {
		if at == -1 {
			dst = append(dst, "        -1"...)
			continue
		}
		dst = appendPadded(append(dst, ' '), at, 9, ' ')
	}
	dst = append(append(append(dst, ' '), mediaType(r.ContentType)...), ' ')
	dst = append(strconv.AppendInt(dst, r.Announced, 10), '/')
	dst = append(strconv.AppendInt(dst, r.Length, 10), ' ')
	dst = append(append(dst, orElse(e.Method, "NONE")...), ' ')
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
	at := len(dst)
	dst = slices.Grow(dst, 2*len(b))[:at+2*len(b)]
	for i, c := range b {
		dst[at+2*i], dst[at+2*i+1] = hexUpper[c>>4], hexUpper[c&15]
	}
	return dst
}

// mediaType is a Content-Type without its parameters.
func mediaType(text []byte) []byte {
	for i, c := range text {
		if c == ';' || c == ' ' || c == '\t' {
			text = text[:i]
			break
		}
	}
	if len(text) == 0 {
		return unknownType
	}
	return text
}

var unknownType = []byte("unknown")
