package reply

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/delay"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Sizes of a reply's buffer, in bytes. gathered is how much is put together before
// it is sent, keptBuffer the largest the buffer may have grown and still be kept.
const (
	headBuffer = 4 << 10
	gathered   = 16 << 10
	keptBuffer = 64 << 10
)

// Policy is what one configuration says about every reply. It is immutable.
type Policy struct {
	Config       *conf.Config
	HeaderAccess *acl.FieldPolicy
	// ViaName is " NAME:PORT (PRODUCT)", for Via; LookupName " from NAME:PORT", for
	// X-Cache-Lookup; CacheName " from NAME", for X-Cache.
	ViaName, LookupName, CacheName string
	Dates                          *http1.DateCache
}

// Hop is what the client and its request say about the head and framing of the
// reply.
type Hop struct {
	Method http1.Method
	// HTTP11 says that the port speaks HTTP/1.1, Client11 that the client does too.
	HTTP11, Client11 bool
	// Bare: HTTP/0.9, no head goes out.
	Bare bool
	// Connection: the client knows no proxy on its way, or speaks HTTP/1.1, and is
	// told of its connection in Connection; others in Proxy-Connection.
	Connection bool
	// Session: connections may be authenticated through this proxy, and the client
	// knows it for one: it is told so.
	Session bool
}

// Client is a client's connection as a reply sees it. A failure means that the client
// has gone, unless it is said otherwise.
type Client interface {
	Write(b []byte) (n int, err error)
	// WritePieces writes pieces of memory in order.
	WritePieces(list [][]byte) (n int64, err error)
	// SendFile sends n bytes of a file from an offset on. ErrClient alone says that
	// the client has gone; any other error is the file's.
	SendFile(fd int, offset, n int64) (sent int64, err error)
	// Transfer runs t towards the client.
	Transfer(t *sock.Transfer) (n int64)
}

// Reply is the reply to one request on its way to the client. Use it again after
// Reset.
type Reply struct {
	// Fields are those of the head, as the client gets them.
	Fields http1.Outgoing
	// MIME is the Content-Type for the log.
	MIME []byte
	// Own is the head of a reply of the proxy's own without what this hop adds, for
	// logs that show the reply's head as the origin sent it; empty for others.
	Own []byte

	out    []byte   // what goes out next
	pieces [][]byte // storage

	State
}

// State is what belongs to one reply; Reset clears it as a whole.
type State struct {
	Policy *Policy
	Hop    Hop
	To     Client
	Ctx    context.Context
	Facts  *acl.Facts
	// Until is when the reply ends in any case: client_lifetime.
	Until time.Time

	// Location takes the place of the origin's, behind all other fields; "" for none.
	Location string

	// CacheStatus is this cache's member of Cache-Status (RFC 9211), "" for none.
	CacheStatus string

	// Pace slows the body down (delay pools); nil for as fast as it goes.
	Pace *delay.Share

	// Status is the status sent, 0 for none.
	Status int
	// Lookup is what X-Cache-Lookup says: HIT, MISS or NONE.
	Lookup string
	// Hit: what is sent comes from the store, which X-Cache tells.
	Hit bool
	// Keep: the client's connection stays open afterwards. MustKeep: it is being
	// authenticated, and no status closes it.
	Keep, MustKeep bool
	// Sent is how many bytes have gone out.
	Sent int64

	chunks bool // the body goes out in chunks
	limit  limit
}

// Init gives a reply its buffer.
func (r *Reply) Init() { r.out = make([]byte, 0, headBuffer) }

// Oversized reports whether the buffer has grown too large to be kept.
func (r *Reply) Oversized() bool { return cap(r.out) > keptBuffer }

// Reset forgets the reply and keeps the storage.
func (r *Reply) Reset() {
	r.State = State{}
	r.Lookup = "NONE"
	r.Fields.Reset()
	r.MIME, r.Own, r.out = r.MIME[:0], r.Own[:0], r.out[:0]
	r.pieces = r.pieces[:0]
}

// SetMIME notes the Content-Type.
func (r *Reply) SetMIME(value []byte) { r.MIME = append(r.MIME[:0], value...) }

// AddDate adds a field with a date.
func (r *Reply) AddDate(id http1.Name, t time.Time) {
	r.Fields.Set(r.Policy.Dates.Append(r.Fields.Pieces(), t)).End(id)
}

// Minor is the minor version of the status lines the client gets.
func (r *Reply) Minor() int {
	if r.Hop.HTTP11 {
		return 1
	}
	return 0
}
