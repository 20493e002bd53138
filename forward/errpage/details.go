package errpage

import (
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Details are what a page can tell about the transaction that failed. The caller
// fills in what it knows; what it leaves out is said to be unknown in 2.6's
// words.
type Details struct {
	// Now is the time of the reply.
	Now time.Time
	// Errno is the system's error behind the failure, 0 for none.
	Errno syscall.Errno
	// Client is the client's address.
	Client netip.Addr

	// Request is the request, nil when it could not be parsed; URL is its URL
	// then, with LoggedURL the same as the log shows it (%U).
	Request        *http1.Request
	URL            *http1.URL
	LoggedURL      []byte
	CanonicalURL   []byte
	UnparsedURL    []byte // the URL of a request that could not be parsed, nil if unknown
	UnparsedHead   []byte // what was received of such a request
	Host           string // the origin or peer chosen, "" before the choice
	User           string
	ResolverSays   string // why a name did not resolve
	ACLSays        string // message of an external ACL
	AuthSays       string // message of an authenticator
	FTPRequest     string
	FTPReply       string
	FTPServerSays  string // lines of the server's greeting or message
	FTPDirectory   string // URL that names the file as a directory
	HasFTPExchange bool
}

// appendCode appends the plain text of a code, not yet escaped; false for codes
// that do not exist. Words in brackets are spelt as in 2.6, mistakes included,
// since operators' templates and tests show them.
func (s *Pages) appendCode(dst []byte, code byte, page *Page, f *Details) (text []byte, known bool) {
	switch code {
	case 'a':
		return append(dst, orElse(f.User, "-")...), true
	case 'B':
		if f.Request == nil {
			return append(dst, "[no URL]"...), true
		}
		return append(dst, f.FTPDirectory...), true
	case 'c':
		return append(dst, page.Name...), true
	case 'e':
		return strconv.AppendInt(dst, int64(f.Errno), 10), true
	case 'E':
		return appendErrno(dst, f.Errno), true
	case 'f':
		return append(dst, f.ftp(f.FTPRequest)...), true
	case 'F':
		return append(dst, f.ftp(f.FTPReply)...), true
	case 'g':
		return append(dst, f.FTPServerSays...), true
	case 'h':
		return append(dst, s.env.Hostname...), true
	case 'H':
		if f.Request == nil {
			return append(dst, "[unknown host]"...), true
		}
		return append(dst, f.Host...), true
	case 'i':
		return f.Client.AppendTo(dst), true
	case 'I':
		if f.Request == nil {
			return append(dst, "[unknown]"...), true
		}
		return append(dst, f.Host...), true
	case 'm':
		return append(dst, orElse(f.AuthSays, "[not available]")...), true
	case 'M':
		if f.Request == nil {
			return append(dst, "[unkown method]"...), true
		}
		return append(dst, f.Request.MethodText...), true
	case 'o':
		return append(dst, orElse(f.ACLSays, "[not available]")...), true
	case 'p':
		if f.URL == nil {
			return append(dst, "[unknown port]"...), true
		}
		return strconv.AppendUint(dst, uint64(f.URL.Port), 10), true
	case 'P':
		if f.URL == nil {
			return append(dst, "[unkown protocol]"...), true
		}
		return append(dst, f.URL.Scheme.String()...), true
	case 'R':
		return f.appendRequest(dst), true
	case 's':
		return append(dst, s.env.Product...), true
	case 't':
		return f.Now.Local().AppendFormat(dst, "02/Jan/2006:15:04:05 -0700"), true
	case 'T':
		return http1.AppendDate(dst, f.Now), true
	case 'U':
		return f.appendURL(dst, f.LoggedURL), true
	case 'u':
		return f.appendURL(dst, f.CanonicalURL), true
	case 'w':
		return append(dst, orElse(s.env.Administrator, "[unknown]")...), true
	case 'z':
		return append(dst, orElse(f.ResolverSays, "[unknown]")...), true
	case '%':
		return append(dst, '%'), true
	case 'l', 'W':
		// Style sheet and mail text in the templates of later releases, which a
		// system may have installed where ours are looked for.
		return dst, true
	}
	return dst, false
}

// appendURL appends the URL of a parsed request, or else what there is.
func (f *Details) appendURL(dst, parsed []byte) []byte {
	switch {
	case f.Request != nil && parsed != nil:
		return append(dst, parsed...)
	case f.UnparsedURL != nil:
		return append(dst, f.UnparsedURL...)
	}
	return append(dst, "[no URL]"...)
}

// appendRequest appends the request line and fields of a parsed request, or
// what was received of another one.
func (f *Details) appendRequest(dst []byte) []byte {
	r := f.Request
	if r == nil {
		if f.UnparsedHead == nil {
			return append(dst, "[no request]"...)
		}
		return append(dst, f.UnparsedHead...)
	}
	dst = append(append(dst, r.MethodText...), ' ')
	if f.URL != nil {
		dst = f.URL.AppendTarget(dst)
	} else {
		dst = append(dst, r.Target...)
	}
	dst = append(dst, " HTTP/"...)
	dst = strconv.AppendInt(dst, int64(r.Major), 10)
	dst = strconv.AppendInt(append(dst, '.'), int64(r.Minor), 10)
	return r.AppendLines(append(dst, '\n'))
}

func (f *Details) ftp(text string) string {
	if !f.HasFTPExchange {
		return "nothing"
	}
	return text
}

// appendErrno appends "(111) Connection refused".
func appendErrno(dst []byte, errno syscall.Errno) []byte {
	if errno == 0 {
		return append(dst, "[No Error]"...)
	}
	dst = strconv.AppendInt(append(dst, '('), int64(errno), 10)
	dst = append(dst, ") "...)
	start := len(dst)
	dst = append(dst, errno.Error()...)
	if start < len(dst) && 'a' <= dst[start] && dst[start] <= 'z' {
		dst[start] -= 'a' - 'A'
	}
	return dst
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
