package external

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// question puts the line for the helper together: the values of the % codes, then the
// words of the acl line unless %DATA has given them.
func (k *kind) question(ctx context.Context, dst []byte, use *conf.ExternalUse, f *acl.Facts, known *acl.Told) []byte {
	v := value{ctx: ctx, use: use, f: f, known: known}
	data := false
	for i := range k.cfg.Format {
		if i > 0 {
			dst = append(dst, ' ')
		}
		if k.cfg.Format[i].Code == "DATA" {
			dst, data = k.data(dst, use.Args), true
			continue
		}
		v.buf = v.of(v.buf[:0], &k.cfg.Format[i])
		if len(v.buf) == 0 {
			dst = append(dst, '-')
			continue
		}
		dst = k.quoted(dst, string(v.buf))
	}
	if !data && len(use.Args) > 0 {
		for _, word := range use.Args {
			dst = k.quoted(append(dst, ' '), word)
		}
	}
	return dst
}

// data appends the words of the acl line as one; as a line's first it has a blank in
// front of it, as 2.6's has.
func (k *kind) data(dst []byte, words []string) []byte {
	switch {
	case len(words) == 0:
		return append(dst, '-')
	case len(dst) == 0:
		dst = append(dst, ' ')
	}
	return k.quoted(dst, strings.Join(words, " "))
}

func (k *kind) quoted(dst []byte, text string) []byte {
	if k.cfg.QuoteShell {
		return helper.AppendShellQuoted(dst, text)
	}
	return helper.AppendEscaped(dst, text)
}

// value finds what % codes stand for.
type value struct {
	ctx   context.Context
	use   *conf.ExternalUse
	f     *acl.Facts
	known *acl.Told
	buf   []byte
}

// of appends the value of a code, nothing for one that is not known.
func (v *value) of(dst []byte, code *conf.ExternalFormat) []byte {
	f := v.f
	switch code.Code {
	case "LOGIN":
		if v.known != nil {
			dst = append(dst, v.known.AuthUser...)
		}
	case "EXT_USER":
		if v.known != nil {
			dst = append(dst, v.known.User...)
		}
	case "IDENT":
		if f.Conn != nil {
			dst = append(dst, f.Conn.Ident(v.ctx)...)
		}
	case "SRC":
		return f.Client.AppendTo(dst)
	case "SRCPORT":
		return strconv.AppendUint(dst, uint64(f.ClientPort), 10)
	case "MYADDR":
		return f.Local.Addr().AppendTo(dst)
	case "MYPORT":
		return strconv.AppendUint(dst, uint64(f.Local.Port()), 10)
	case "METHOD":
		return append(dst, f.MethodText...)
	case "ACL":
		return append(dst, v.use.ACL...)
	case "HEADER":
		return v.header(dst, code)
	case "DST", "PROTO", "PORT", "PATH":
		if f.URL != nil {
			return urlPart(dst, code.Code, f.URL)
		}
	}
	return dst
}

// Unknown reports whether nothing is known yet of what a code stands for: no client shows
// a certificate.
func Unknown(code *conf.ExternalFormat) bool {
	switch code.Code {
	case "USER_CERT", "USER_CERTCHAIN", "USER_CERT_", "CA_CERT_":
		return true
	}
	return false
}

func urlPart(dst []byte, code string, u *http1.URL) []byte {
	switch code {
	case "DST":
		return append(dst, u.Host...)
	case "PROTO":
		return append(dst, u.Scheme.String()...)
	case "PORT":
		return strconv.AppendUint(dst, uint64(u.Port), 10)
	}
	return append(dst, u.Path...) // nothing for a CONNECT
}

// header appends a request field, or one member of it: what stands behind "NAME=" in one
// of its parts, which commas end as well as the separator does.
func (v *value) header(dst []byte, code *conf.ExternalFormat) []byte {
	if v.f.Request == nil {
		return dst
	}
	start := len(dst)
	dst, _ = v.f.Request.AppendNamed(dst, code.Header)
	if code.Separator == 0 {
		return dst
	}
	found := member(dst[start:], code.Member, code.Separator)
	return append(dst[:start], found...)
}

// member finds a part.
func member(list []byte, name string, separator byte) []byte {
	for len(list) > 0 {
		end := partEnd(list, separator)
		part := bytes.Trim(list[:end], " \t")
		if rest, ok := bytes.CutPrefix(part, []byte(name)); ok && len(rest) > 0 && rest[0] == '=' {
			return rest[1:]
		}
		list = list[min(len(list), end+1):]
	}
	return nil
}

// partEnd is where the first part ends; quotes protect separators.
func partEnd(list []byte, separator byte) int {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case !quoted && (c == separator || c == ','):
			return i
		}
	}
	return len(list)
}
