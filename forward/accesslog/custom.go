package accesslog

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// code is a logformat code without its argument.
type code uint8

const (
	literal code = iota
	clientAddr
	clientName
	clientPort
	serverName
	localAddr
	localPort
	epochSeconds
	subSecond
	localTime
	gmTime
	elapsed
	requestHeader
	requestMember
	requestFields
	replyHeader
	replyMember
	replyFields
	userName
	userLogin
	userIdent
	userSSL
	userExt
	serverNameTLS
	statusCode
	squidTag
	squidHierarchy
	mimeType
	requestMethod
	requestURL
	requestVersion
	requestSize
	replySize
	totalSize
)

// codes maps what squid.conf says to what it means. ">h" and "<h" are refined
// by their argument.
var codes = map[string]code{
	"": literal, "%": literal,
	">a": clientAddr, ">A": clientName, ">p": clientPort, "<A": serverName,
	"la": localAddr, "lp": localPort,
	"ts": epochSeconds, "tu": subSecond, "tl": localTime, "tg": gmTime, "tr": elapsed,
	">h": requestFields, "<h": replyFields,
	"un": userName, "ul": userLogin, "ui": userIdent, "us": userSSL, "ue": userExt, "ea": userExt,
	"Hs": statusCode, "Ss": squidTag, "Sh": squidHierarchy,
	"mt": mimeType, "rm": requestMethod, "ru": requestURL, "rv": requestVersion, ">v": requestVersion,
	"ssl::>sni": serverNameTLS,
	">st":       requestSize, "<st": replySize, "st": totalSize,
}

// token is one compiled piece of a logformat.
type token struct {
	conf.LogToken
	code code
}

// format is a compiled logformat.
type format struct {
	tokens    []token
	wantsName bool // the client's name is shown
}

func compile(f *conf.LogFormat) (*format, error) {
	out := &format{}
	for _, t := range f.Tokens {
		c, known := codes[t.Code]
		if !known {
			return nil, fmt.Errorf("logformat %s: no code %%%s", f.Name, t.Code)
		}
		if t.Code == "%" {
			t.Text = "%"
		}
		switch {
		case c == requestFields && t.HasElement:
			c = requestMember
		case c == requestFields && t.HasArg:
			c = requestHeader
		case c == replyFields && t.HasElement:
			c = replyMember
		case c == replyFields && t.HasArg:
			c = replyHeader
		case c == subSecond && t.Divisor <= 0:
			t.Divisor = 1000
		case (c == localTime || c == gmTime) && !t.HasArg:
			t.Arg = "%d/%b/%Y:%H:%M:%S %z"
		}
		out.wantsName = out.wantsName || c == clientName
		out.tokens = append(out.tokens, token{t, c})
	}
	return out, nil
}

// append formats an entry.
func (f *format) append(dst []byte, e *Entry, client string) []byte {
	for i := range f.tokens {
		t := &f.tokens[i]
		if t.code == literal && t.Width == 0 && t.Text != "" {
			dst = append(dst, t.Text...)
		} else {
			dst = t.append(dst, e, client)
		}
		if t.Space {
			dst = append(dst, ' ')
		}
	}
	return dst
}

// append formats one code: value, quoting, width; "-" when there is no value.
func (t *token) append(dst []byte, e *Entry, client string) []byte {
	if t.code == squidHierarchy && e.TimedOut {
		dst = append(dst, "TIMEOUT_"...)
	}
	value, quote := t.value(e.scratch[:0], e, client)
	e.scratch = value
	if len(value) == 0 {
		return append(dst, '-')
	}
	start := len(dst)
	switch {
	case t.Quote == conf.QuoteString:
		dst = appendString(dst, value)
	case t.Quote == conf.QuoteBrackets:
		dst = appendBrackets(dst, value)
	case t.Quote == conf.QuoteURL:
		dst = appendURL(dst, value)
	case t.Quote == conf.QuoteNone && quote:
		dst = http1.AppendEscaped(dst, value)
	default:
		dst = append(dst, value...)
	}
	return pad(dst, start, int(t.Width), t.Left)
}

// pad widens dst[start:] with blanks.
func pad(dst []byte, start, width int, left bool) []byte {
	missing := width - (len(dst) - start)
	if missing <= 0 {
		return dst
	}
	for range missing {
		dst = append(dst, ' ')
	}
	if !left {
		copy(dst[start+missing:], dst[start:])
		for i := range missing {
			dst[start+i] = ' '
		}
	}
	return dst
}

// value appends the plain value; quote says that it needs quoting because the
// client or the origin had a say in it.
func (t *token) value(dst []byte, e *Entry, client string) (value []byte, quote bool) {
	switch t.code {
	case literal:
		return append(dst, t.Text...), false
	case clientAddr:
		return e.client.AppendTo(dst), false
	case clientName:
		return appendClient(dst, client, e.client), false
	case localAddr:
		if !e.HasRequest {
			return append(dst, "255.255.255.255"...), false
		}
		return e.Local.Addr().AppendTo(dst), false
	case serverName:
		return append(dst, e.host()...), false
	case localTime:
		return appendStrftime(dst, t.Arg, e.Now.Local()), false
	case gmTime:
		return appendStrftime(dst, t.Arg, e.Now.UTC()), false
	case requestHeader, requestMember:
		if !e.HasRequest {
			return dst, true
		}
		return t.header(dst, e.Request), true
	case replyHeader, replyMember:
		return t.header(dst, e.Reply), true
	case requestFields:
		return append(dst, e.RequestFields...), true
	case replyFields:
		return append(dst, replyHead(e)...), true
	case userName:
		return append(dst, e.user()...), true
	case userLogin:
		return append(dst, e.AuthUser...), true
	case userIdent:
		return append(dst, e.Ident...), true
	case userSSL:
		return append(dst, e.SSLUser...), true
	case userExt:
		return append(dst, e.ExtLog...), true
	case serverNameTLS:
		return append(dst, e.SNI...), true
	case squidTag:
		return append(dst, e.Tag...), false
	case squidHierarchy:
		return append(dst, e.hierarchy()...), false
	case mimeType:
		return append(dst, e.contentType()...), false
	case requestMethod:
		return append(dst, e.method()...), false
	case requestURL:
		return append(dst, e.URL...), false
	case requestVersion:
		dst = strconv.AppendInt(dst, int64(e.Major), 10)
		return strconv.AppendInt(append(dst, '.'), int64(e.Minor), 10), false
	}
	n, ok := t.number(e)
	if !ok {
		return dst, false
	}
	width := 0
	if t.Zero {
		width = int(t.Width)
	}
	return appendPadded(dst, n, width, '0'), false
}

// number is the value of the codes that are numbers.
func (t *token) number(e *Entry) (n int64, ok bool) {
	switch t.code {
	case clientPort:
		if !e.HasRequest {
			return 0, true
		}
		return int64(e.ClientPort), true
	case localPort:
		if !e.HasRequest {
			return 0, true
		}
		return int64(e.Local.Port()), true
	case epochSeconds:
		return e.Now.Unix(), true
	case subSecond:
		return int64(e.Now.Nanosecond()) / int64(time.Microsecond) / int64(t.Divisor), true
	case elapsed:
		return e.Elapsed.Milliseconds(), true
	case statusCode:
		return int64(e.Status), true
	case requestSize:
		return e.RequestSize, true
	case replySize:
		return e.Size, true
	case totalSize:
		return e.Size + e.RequestSize, true
	}
	return 0, false
}

// header appends a field's value, or the value of one member of it.
func (t *token) header(dst []byte, h Header) []byte {
	if h == nil {
		return dst
	}
	value, ok := h.AppendNamed(dst, t.Arg)
	if ok && http1.HoldsCredentials(http1.LookupNameString(t.Arg)) {
		value = http1.AppendLoggedCredentials(dst, bytes.Clone(value[len(dst):]))
	}
	if !ok || t.code == requestHeader || t.code == replyHeader {
		return value
	}
	member := http1.ListMember(value[len(dst):], t.Separator, t.Element)
	return append(dst, member...)
}
