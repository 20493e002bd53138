package acl

import (
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// Verdict is what a list decided.
type Verdict uint8

const (
	// Denied is the zero value: whatever was never asked is denied.
	Denied Verdict = iota
	// Allowed lets the transaction on.
	Allowed
	// Challenge denies and asks for credentials (407, or 401 from an accelerator).
	Challenge
)

// Answer is the outcome of checking one list.
type Answer struct {
	Verdict Verdict
	// Last is the name of the ACL that was looked at last, as its first acl
	// line spells it: deny_info is chosen by it. "" for an empty
	// list.
	Last string
	// IPv4Only tells that a line would have let the client in, but that line
	// names no IPv6 address and the client has one.
	IPv4Only bool
	// Told is Facts.Told and what helpers said while the list was checked, nil
	// for nothing. Whoever checks puts it into the facts of the request.
	Told *Told

	trace *report.Section // of whoever asks, nil for nobody
	fast  bool            // nobody waits for a client's host or a helper
}

// Say tells which ACL decided about what, as operators ask for it with debug_options
// 33,2: what is "request" or "reply for", with the request's method and URL.
func (a Answer) Say(s report.Section, what, method string, url []byte) {
	if !s.On(2) {
		return
	}
	verdict, last := "DENIED", a.Last
	if a.Allowed() {
		verdict = "ALLOWED"
	}
	if last == "" {
		last = "NO ACL's"
	}
	s.Say(2, "The "+what+" {method} {url} is "+verdict+", because it matched '{acl}'",
		zap.String("method", method), zap.ByteString("url", url), zap.String("acl", last))
}

// Allowed is true for the verdict Allowed alone.
func (a Answer) Allowed() bool { return a.Verdict == Allowed }
