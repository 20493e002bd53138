package forward

import (
	"unsafe"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// view is b as a string without a copy. The bytes belong to the transaction
// and outlive every use of the string.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// fillFacts gathers what access lists look at once the URL is known.
func (x *transaction) fillFacts() {
	x.facts = acl.Facts{
		Client:      x.cl.remote.Addr(),
		Local:       x.cl.local,
		Method:      x.req.Method,
		URL:         &x.url,
		Request:     &x.req.Fields,
		URLGroup:    x.port.URLGroup,
		Accelerated: x.accel,
		Internal:    x.internal,
		Transparent: x.rebuilt && !x.accel,
		Conn:        x.cl,
	}
}

// hasRequest reports whether the request was understood so far that access lists
// were asked about it.
func (x *transaction) hasRequest() bool { return x.facts.URL != nil }

// logsAskReply reports whether an access list of the logs looks at the reply.
func logsAskReply(cfg *conf.Config) bool {
	asks := func(refs []conf.ACLRef) bool {
		for _, ref := range refs {
			if ref.ACL != nil && (ref.ACL.Type == conf.ACLRepHeader || ref.ACL.Type == conf.ACLRepMimeType) {
				return true
			}
		}
		return false
	}
	for _, log := range cfg.AccessLogs {
		if asks(log.ACLs) {
			return true
		}
	}
	for _, rule := range cfg.LogAccess {
		if asks(rule.ACLs) {
			return true
		}
	}
	return false
}

// showReply puts the fields of the reply as the client got it into the facts,
// be it the origin's or one of the proxy's own: that is what lists for logs see.
func (x *transaction) showReply() {
	x.facts.Reply = nil
	if x.status == 0 || x.req.Method == http1.CONNECT && x.status == 200 {
		return
	}
	var sent http1.Reply
	head := x.fields.Append(http1.AppendStatusLine(nil, 0, x.status))
	if _, state := sent.Parse(head, true, &x.p.reply); state == http1.Complete {
		x.facts.Reply = &sent.Fields
	}
}
