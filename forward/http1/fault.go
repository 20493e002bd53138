package http1

// Fault says why a message was not accepted. The caller maps it to an error
// page and to a log line; the value itself carries no policy.
type Fault uint8

// Faults of requests, then of replies.
const (
	// NoFault: the message is acceptable.
	NoFault Fault = iota
	// UnsupportedMethod: the first word is no method known to Options.Methods.
	UnsupportedMethod
	// MissingURL: the request line has a method and nothing behind it.
	MissingURL
	// InvalidVersion: "HTTP/" is not followed by number "." number.
	InvalidVersion
	// InvalidRequest: the target cannot be used on this kind of port; set by
	// the caller, who alone knows the port.
	InvalidRequest
	// HeadTooLarge: a complete head reached Options.MaxHead.
	HeadTooLarge
	// HeadEndless: Options.MaxHead bytes arrived without the end of the head.
	HeadEndless
	// InvalidURL: the target is no URL we serve.
	InvalidURL
	// InvalidFields: the field block breaks a rule that is never repaired, or
	// one that Options.Relaxed would have repaired.
	InvalidFields
	// InvalidLength: Content-Length is no decimal number, or two of them differ.
	InvalidLength
	// UnsupportedCoding: a transfer coding in a request that we do not decode.
	UnsupportedCoding
	// AmbiguousFraming: Transfer-Encoding together with Content-Length, or in a
	// message of a version that has none (RFC 9112 section 6.1).
	AmbiguousFraming
	// UnexpectedBody: a GET or HEAD with a body, which request_entities forbids.
	UnexpectedBody
	// InvalidReply: the origin's head cannot be understood.
	InvalidReply
	// ReplyTooLarge: the origin's head exceeds Options.MaxHead.
	ReplyTooLarge
	numFaults
)

// faultText holds, for every fault, a sentence for logs and the word that
// access.log shows in place of the URL ("" when the URL itself is shown; fact
// "Logged method and URL of refused requests").
var faultText = [numFaults]struct{ why, logURL string }{
	NoFault:           {"no fault", ""},
	UnsupportedMethod: {"unsupported request method", "error:unsupported-request-method"},
	MissingURL:        {"request line without URL", "error:missing-url"},
	InvalidVersion:    {"invalid HTTP version", "error:invalid-http-ident"},
	InvalidRequest:    {"request target not valid on this port", "error:invalid-request"},
	HeadTooLarge:      {"request head too large", "error:request-too-large"},
	HeadEndless:       {"request head too large and not complete", "error:request-too-large"},
	InvalidURL:        {"invalid URL", ""},
	InvalidFields:     {"malformed header fields", ""},
	InvalidLength:     {"malformed or conflicting Content-Length", ""},
	UnsupportedCoding: {"unsupported transfer coding", ""},
	AmbiguousFraming:  {"Transfer-Encoding conflicts with Content-Length or version", ""},
	UnexpectedBody:    {"body on a method that has none", ""},
	InvalidReply:      {"malformed reply head", ""},
	ReplyTooLarge:     {"reply head too large", ""},
}

// Error makes Fault an error value.
func (f Fault) Error() string {
	if f >= numFaults {
		return "unknown fault"
	}
	return faultText[f].why
}

// LogURL is what access.log shows instead of a URL for a request that failed
// before it had one; "" when the URL is known and to be shown.
func (f Fault) LogURL() string {
	if f >= numFaults {
		return ""
	}
	return faultText[f].logURL
}

// State is the outcome of a Parse call.
type State uint8

// Outcomes of Parse.
const (
	// NeedMore: the head is not complete; call again with more bytes behind
	// the same ones.
	NeedMore State = iota
	// Complete: the head was parsed; the count of bytes used is valid.
	Complete
	// Failed: the Fault field says why; the connection has to be closed.
	Failed
)
