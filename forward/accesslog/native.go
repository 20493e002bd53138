package accesslog

import (
	"net/netip"
	"strconv"
	"time"
)

// appendNative formats 2.6's own format:
//
//	seconds.millis elapsed client TAG/status size METHOD url user HIERARCHY/host type
func appendNative(dst []byte, e *Entry, client string) []byte {
	dst = appendMillis(dst, e.Now)
	dst = append(dst, ' ')
	dst = appendPadded(dst, e.Elapsed.Milliseconds(), 6, ' ')
	dst = append(dst, ' ')
	dst = appendClient(dst, client, e.client)
	dst = append(dst, ' ')
	dst = append(dst, e.Tag...)
	dst = append(dst, '/')
	dst = appendPadded(dst, int64(e.Status), 3, '0')
	dst = append(dst, ' ')
	dst = appendPadded(dst, e.Size, 1, ' ')
	dst = append(dst, ' ')
	dst = append(dst, e.method()...)
	dst = append(dst, ' ')
	dst = append(dst, e.URL...)
	dst = append(dst, ' ')
	dst = appendUserOrDash(dst, e.user())
	dst = append(dst, ' ')
	if e.TimedOut {
		dst = append(dst, "TIMEOUT_"...)
	}
	dst = append(dst, e.hierarchy()...)
	dst = append(dst, '/')
	dst = append(dst, e.host()...)
	dst = append(dst, ' ')
	return append(dst, e.contentType()...)
}

// appendCommon formats the common log format with 2.6's two words behind it.
func appendCommon(dst []byte, e *Entry, client string, stamps *stampCache) []byte {
	dst = appendClient(dst, client, e.client)
	dst = append(dst, ' ')
	dst = appendUserOrDash(dst, e.Ident)
	dst = append(dst, ' ')
	dst = appendUserOrDash(dst, e.AuthUser)
	dst = append(dst, " ["...)
	dst = stamps.append(dst, e.Now)
	dst = append(dst, `] "`...)
	dst = append(dst, e.method()...)
	dst = append(dst, ' ')
	dst = append(dst, e.URL...)
	dst = append(dst, " HTTP/"...)
	dst = strconv.AppendInt(dst, int64(e.Major), 10)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, int64(e.Minor), 10)
	dst = append(dst, `" `...)
	dst = strconv.AppendInt(dst, int64(e.Status), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, e.Size, 10)
	dst = append(dst, ' ')
	dst = append(dst, e.Tag...)
	dst = append(dst, ':')
	return append(dst, e.hierarchy()...)
}

// appendMime adds what log_mime_hdrs shows: the request's fields and the head
// of the reply, whose last byte 2.6 leaves out.
func appendMime(dst []byte, e *Entry) []byte {
	dst = append(dst, " ["...)
	dst = appendBrackets(dst, e.RequestFields)
	dst = append(dst, "] ["...)
	dst = appendBrackets(dst, replyHead(e))
	return append(dst, ']')
}

func replyHead(e *Entry) []byte {
	if len(e.ReplyHead) == 0 {
		return nil
	}
	return e.ReplyHead[:len(e.ReplyHead)-1]
}

func appendUserOrDash(dst []byte, user string) []byte {
	if user == "" {
		return append(dst, '-')
	}
	return appendUser(dst, user)
}

// appendClient appends the client's name when it is known, else its address.
func appendClient(dst []byte, name string, addr netip.Addr) []byte {
	if name != "" {
		return append(dst, name...)
	}
	if !addr.Is4() {
		return addr.AppendTo(dst)
	}
	for i, octet := range addr.As4() {
		if i > 0 {
			dst = append(dst, '.')
		}
		if octet >= 100 {
			dst = append(dst, '0'+octet/100)
		}
		if octet >= 10 {
			dst = append(dst, '0'+octet/10%10)
		}
		dst = append(dst, '0'+octet%10)
	}
	return dst
}

// appendMillis appends seconds and milliseconds since the epoch.
func appendMillis(dst []byte, t time.Time) []byte {
	dst = appendPadded(dst, t.Unix(), 9, ' ')
	dst = append(dst, '.')
	return appendPadded(dst, int64(t.Nanosecond()/1e6), 3, '0')
}

// digits are the numbers from 00 to 99.
const digits = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// appendPadded appends n in at least width characters.
func appendPadded(dst []byte, n int64, width int, pad byte) []byte {
	if pad == '0' && n < 0 {
		dst, n, width = append(dst, '-'), -n, width-1
	}
	var text [20]byte // from the end, as long as an int64 can be
	at, rest := len(text), uint64(max(n, -n))
	for ; rest >= 100; rest /= 100 {
		at -= 2
		pair := rest % 100 * 2
		text[at], text[at+1] = digits[pair], digits[pair+1]
	}
	if rest >= 10 {
		at--
		text[at] = '0' + byte(rest%10)
		rest /= 10
	}
	at--
	text[at] = '0' + byte(rest)
	if n < 0 {
		at--
		text[at] = '-'
	}
	for ; len(text)-at < width; width-- {
		dst = append(dst, pad)
	}
	return append(dst, text[at:]...)
}
