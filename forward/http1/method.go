package http1

// Method is a request method as a small integer; NoMethod for none.
type Method uint8

// The methods Squid 2.6 knows (RFC 9110, RFC 4918, RFC 3253 and Microsoft's
// DAV variants). Extension methods get the numbers behind them.
const (
	NoMethod Method = iota
	GET
	POST
	PUT
	HEAD
	CONNECT
	TRACE
	PURGE
	OPTIONS
	DELETE
	PROPFIND
	PROPPATCH
	MKCOL
	COPY
	MOVE
	LOCK
	UNLOCK
	BMOVE
	BDELETE
	BPROPFIND
	BPROPPATCH
	BCOPY
	SEARCH
	SUBSCRIBE
	UNSUBSCRIBE
	POLL
	REPORT
	MKACTIVITY
	CHECKOUT
	MERGE
	firstExtension
)

// MaxExtensionMethods is how many extension_methods Squid 2.6 has room for.
const MaxExtensionMethods = 20

var methodText = [firstExtension]string{
	"NONE", "GET", "POST", "PUT", "HEAD", "CONNECT", "TRACE", "PURGE", "OPTIONS", "DELETE",
	"PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "BMOVE", "BDELETE",
	"BPROPFIND", "BPROPPATCH", "BCOPY", "SEARCH", "SUBSCRIBE", "UNSUBSCRIBE", "POLL", "REPORT",
	"MKACTIVITY", "CHECKOUT", "MERGE",
}

// MethodNames are the methods Squid 2.6 knows, in its spelling.
func MethodNames() []string { return methodText[1:] }

// Methods is a fixed set of methods: the built-in ones and the extensions of
// the configuration. A nil *Methods holds the built-in ones.
type Methods struct {
	extensions []string
}

// NewMethods adds extension methods (extension_methods) in the spelling given;
// those already known and those beyond MaxExtensionMethods are left out.
func NewMethods(extensions []string) *Methods {
	m := &Methods{}
	for _, e := range extensions {
		known := false
		for _, have := range methodText {
			known = known || have == e
		}
		for _, have := range m.extensions {
			known = known || have == e
		}
		if !known && e != "" && len(m.extensions) < MaxExtensionMethods {
			m.extensions = append(m.extensions, e)
		}
	}
	return m
}

// Lookup finds a method without regard to case.
func (m *Methods) Lookup(word []byte) Method {
	if len(word) == 3 && word[0] == 'G' && word[1] == 'E' && word[2] == 'T' {
		return GET
	}
	for i := 1; i < len(methodText); i++ {
		if EqualFold(word, methodText[i]) {
			return Method(i)
		}
	}
	if m != nil {
		for i, e := range m.extensions {
			if EqualFold(word, e) {
				return firstExtension + Method(i)
			}
		}
	}
	return NoMethod
}

// Text is the spelling sent to origins and written to logs: upper case for the
// built-in methods, as configured for extensions, "NONE" for NoMethod.
func (m *Methods) Text(method Method) string {
	if method < firstExtension {
		return methodText[method]
	}
	if m != nil && int(method-firstExtension) < len(m.extensions) {
		return m.extensions[method-firstExtension]
	}
	return methodText[NoMethod]
}

// Repeatable reports whether sending a request a second time changes no more than
// the first did, by IANA's registry of methods. It is wider than Idempotent,
// which says what may go out on a kept connection.
func (method Method) Repeatable() bool {
	switch method {
	case PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, UNLOCK, SEARCH, REPORT, MKACTIVITY, CHECKOUT, MERGE:
		return true
	}
	return method.Idempotent()
}

// Idempotent reports whether a request may be repeated after a failure
// (RFC 9110 section 9.2.2) without asking anyone.
func (method Method) Idempotent() bool {
	switch method {
	case GET, HEAD, OPTIONS, TRACE, PUT, DELETE:
		return true
	}
	return false
}
