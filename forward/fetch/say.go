package fetch

import (
	"net/netip"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// What debug_options has said about a fetch.

// sayHops tells the next hops that were chosen (44,3).
func (f *Fetch) sayHops() {
	say := f.env.Say.Peers
	if !say.On(3) {
		return
	}
	var words []string
	for i := range f.hops {
		h := &f.hops[i]
		word := h.Code
		if h.Pinned {
			word += " pinned"
		}
		if h.Peer != nil {
			word += "/" + h.Peer.Name
		}
		words = append(words, word)
	}
	say.Say(3, "peerSelect: {method} {url}: {hops}",
		zap.String("method", f.req.MethodText), zap.ByteString("url", f.req.CanonicalURL), zap.String("hops", strings.Join(words, ", ")))
}

// sayAttempt tells a connection that was made, taken, or not to be had (17,3).
func (f *Fetch) sayAttempt(how string, to netip.AddrPort, err error) {
	say := f.env.Say.Forward
	if !say.On(3) {
		return
	}
	line := "fwdConnectDone: {hop} for {url}: " + how + " to {server}"
	fields := []zap.Field{zap.String("hop", f.hop.Code), zap.ByteString("url", f.req.CanonicalURL), zap.Stringer("server", to)}
	if err != nil {
		line, fields = line+" failed: {error}", append(fields, report.Error(err))
	}
	say.Say(3, line, fields...)
}

// sayFailed tells why an attempt failed and whether there will be another (17,3).
func (f *Fetch) sayFailed(why *failure.Failure, again bool) {
	if say := f.env.Say.Forward; say.On(3) {
		say.Say(3, "fwdFail: {url} after {tries} tries, again: {again}: {error}",
			zap.ByteString("url", f.req.CanonicalURL), zap.Int("tries", f.tries.all), zap.Bool("again", again), report.Error(why))
	}
}

// sayExcess tells of bytes behind the end of a reply (11,1).
func (f *Fetch) sayExcess() {
	f.env.Say.HTTP.Traffic("httpReadReply: Excess data from \"{method} {url}\"",
		zap.String("method", f.req.MethodText), zap.ByteString("url", f.req.CanonicalURL))
}

// sayReply tells the heads of the exchange (11,2) and what was odd in the reply's, as
// log watchers know it.
func (f *Fetch) sayReply() {
	if say := f.env.Say.HTTP; say.On(2) {
		report.Lines(say, 2, "HTTP Server REQUEST: ", http1.AppendLoggedHead(nil, f.out))
		report.Lines(say, 2, "HTTP Server REPLY: ", f.Reply.Head)
	}
	if f.Reply.Odd() {
		f.env.Say.Odd(&f.Reply.Fields, f.policy.Config.RelaxedHeaderParser == conf.Warn)
	}
}
