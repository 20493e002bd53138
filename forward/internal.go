package forward

import (
	"slices"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/icons"
)

// asksOwn takes an origin-form request for one of the proxy's own objects:
// on every port with global_internal_static, otherwise only where the path
// could not be made a URL in another way.
func (x *transaction) asksOwn(last bool) bool {
	if !icons.IsInternal(x.req.Target) || !last && !x.p.cfg.GlobalInternalStatic {
		return false
	}
	x.internal, x.accel = true, true
	x.asked = append(append(append(x.asked[:0], "internal://"...), x.p.unique...), x.req.Target...)
	return true
}

// isOwn reports whether the URL names one of the proxy's own objects: on its own
// host names, or anywhere for what is the same on every proxy
// (global_internal_static).
func (x *transaction) isOwn() bool {
	if x.internal || !icons.IsInternal(x.url.Path) || x.req.Method == http1.CONNECT {
		return x.internal
	}
	host := view(x.url.Host)
	isHost := func(name string) bool { return strings.EqualFold(host, name) }
	return isHost(x.p.visible) || isHost(x.p.unique) || slices.ContainsFunc(x.p.cfg.HostnameAliases, isHost) ||
		x.p.cfg.GlobalInternalStatic && icons.IsStatic(x.url.Path)
}

// serveOwn answers a request for one of the proxy's own objects: an icon, which
// counts as a hit in memory, or nothing that exists.
func (x *transaction) serveOwn() bool {
	name, _ := icons.StaticName(x.url.Path)
	icon := x.p.icons.Icon(name)
	if icon == nil || x.req.Method != http1.GET && x.req.Method != http1.HEAD {
		x.tag, x.lookup = "TCP_MISS", "MISS"
		return x.refuse(newFailure(errpage.InvalidRequest, 404))
	}
	since, conditional := http1.ParseDate(x.req.Get(http1.IfModifiedSince))
	unchanged := conditional && !icon.Modified.Truncate(time.Second).After(since)
	x.tag, x.lookup, x.status = "TCP_MEM_HIT", "HIT", 200
	if unchanged {
		x.tag, x.status = "TCP_IMS_HIT", 304
	}
	x.mime = append(x.mime[:0], icon.ContentType...)
	x.rep.Reset()
	x.bodyLeftUnread()
	out := &x.fields
	out.Reset()
	out.Set(x.srv.dates.Append(out.Pieces(), x.clock())).End(http1.Date)
	if !unchanged {
		out.AddString(http1.Server, x.p.product)
	}
	out.AddString(http1.ContentType, icon.ContentType)
	if !unchanged {
		out.AddInt(http1.ContentLength, int64(len(icon.Body)))
	}
	out.Set(http1.AppendDate(out.Pieces(), icon.Modified)).End(http1.LastModified)
	if !unchanged {
		out.Text("max-age=").Int(icons.MaxAge).End(http1.CacheControlName)
	}
	x.keepOwnHead()
	x.out = x.finishReplyHead(x.out[:0], x.status, true)
	if unchanged || x.req.Method == http1.HEAD {
		x.send(x.out)
	} else {
		x.sendWith(icon.Body)
	}
	return x.keep
}
