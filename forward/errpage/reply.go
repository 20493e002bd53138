package errpage

import "github.com/cuttle-proxy/cuttle/forward/http1"

// redirectStatus is the status of a deny_info redirection.
const redirectStatus = 302

// IsReset tells that the client is to get a connection reset and no answer.
func (p *Page) IsReset() bool { return p.Name == Reset }

// Status is the status to send: the one given, or that of a redirection.
func (p *Page) Status(status int) int {
	if p.redirect {
		return redirectStatus
	}
	return status
}

// Append appends the page's body; a redirection has none.
func (p *Page) Append(dst []byte, f *Details) []byte {
	if p.redirect || p.IsReset() {
		return dst
	}
	return p.set.append(dst, p.template, p, f, false)
}

// Reply adds the fields of the page's reply in 2.6's order: Server, Date,
// Content-Type, Content-Length, Expires, Location for a redirection, and
// X-Squid-Error. length is the size of the body in bytes, status the one of the
// error, before Status changed it. Errors expire at once.
func (p *Page) Reply(out *http1.Outgoing, f *Details, status, length int) {
	out.AddString(http1.Server, p.set.env.Server)
	out.Set(http1.AppendDate(out.Pieces(), f.Now)).End(http1.Date)
	out.AddString(http1.ContentType, "text/html")
	out.AddInt(http1.ContentLength, int64(length))
	out.Set(http1.AppendDate(out.Pieces(), f.Now)).End(http1.Expires)
	if p.redirect {
		out.Set(p.appendLocation(out.Pieces(), f)).End(http1.Location)
		out.Int(int64(status)).Text(" Access Denied").End(http1.XSquidError)
		return
	}
	out.Text(string(p.Name)).Text(" ").Int(int64(f.Errno)).End(http1.XSquidError)
}

// appendLocation appends the URL of a redirection with the denied URL, escaped
// as a part of a URL, in place of "%s"; "%%" is a percent sign.
func (p *Page) appendLocation(dst []byte, f *Details) []byte {
	url := string(p.Name)
	for i := 0; i < len(url); i++ {
		if url[i] == '%' && i+1 < len(url) && (url[i+1] == 's' || url[i+1] == '%') {
			i++
			if url[i] == 's' {
				dst = appendPart(dst, f.CanonicalURL)
				continue
			}
		}
		dst = append(dst, url[i])
	}
	return dst
}

// appendPart escapes text for use as a part of a URL: everything that is
// reserved or unsafe there.
func appendPart(dst, text []byte) []byte {
	for i, c := range text {
		switch c {
		case ';', '/', '?', ':', '@', '=', '&', '%':
			dst = append(dst, '%')
			dst = append(dst, "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		default:
			dst = http1.AppendEscaped(dst, text[i:i+1])
		}
	}
	return dst
}
