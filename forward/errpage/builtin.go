package errpage

import "strings"

// signatureText ends every page that does not name the program itself.
const signatureText = "\n<hr>\n<address>%h, %T (%s)</address>\n</body></html>\n"

// builtin is a page of our own: a headline, and paragraphs in HTML with codes.
// The URL stands in each page that 2.6 shows it in, since tools look for it.
type builtin struct {
	name     Name
	headline string
	text     string
}

const (
	aboutURL   = "<p>Requested: <strong>%U</strong></p>"
	aboutError = "<p>The system says: <em>%E</em></p>"
	contact    = `<p>The administrator of this proxy is <a href="mailto:%w">%w</a>. %L</p>`
	aboutFTP   = "<p>Last command: <code>%f</code><br>Last reply: <code>%F</code></p><pre>%g</pre>"
)

var builtins = []builtin{
	{ReadTimeout, "The server stopped answering", aboutURL + aboutError +
		"<p>The connection to the server was open, but nothing more came for too long. It or the network may be overloaded; try again later.</p>"},
	{LifetimeExpired, "Connection open for too long", aboutURL +
		"<p>This proxy limits how long a connection may last, and the limit was reached.</p>"},
	{ReadError, "Reading from the server failed", aboutURL + aboutError +
		"<p>The connection to the server broke while its answer was being read. Try again.</p>"},
	{WriteError, "Writing to the server failed", aboutURL + aboutError +
		"<p>The connection to the server broke while the request was being sent. Try again.</p>"},
	{ShuttingDown, "The proxy is stopping", aboutURL +
		"<p>This proxy is being shut down or restarted and takes no new requests. Try again in a minute.</p>"},
	{ConnectFail, "The server cannot be reached", aboutURL +
		"<p>No connection to <strong>%I</strong> could be opened.</p>" + aboutError +
		"<p>The server may be down, or the network between here and there.</p>"},
	{InvalidRequest, "Request not understood", "<pre>%R</pre>" +
		"<p>This is no valid HTTP request for this proxy: the method may be missing or unknown, the URL or the version missing, a length missing or wrong, or the header too large.</p>"},
	{UnsupportedRequest, "Request not supported", aboutURL +
		"<p>This proxy does not know how to handle this combination of method, URL scheme and transfer coding.</p>"},
	{InvalidURL, "Invalid URL", aboutURL +
		"<p>The URL or the header of the request is malformed: check the scheme, the host name, the port and stray blanks.</p>"},
	{SocketFailure, "The proxy is out of sockets", aboutURL + aboutError +
		"<p>The system gave this proxy no socket for the connection. Try again later.</p>"},
	{DNSFail, "The host name cannot be resolved", aboutURL +
		"<p>The address of <strong>%H</strong> could not be found. The resolver says: <em>%z</em></p><p>Check the spelling of the name.</p>"},
	{CannotForward, "No way to forward the request", aboutURL +
		"<p>This proxy may not ask the server itself, and none of the proxies it may ask instead is available.</p>"},
	{ForwardingDenied, "Not a parent of yours", aboutURL +
		"<p>%i may ask this proxy only for what it already has, and it does not have this.</p>"},
	{NoRelay, "No relay for WAIS", aboutURL +
		"<p>No host is configured that would relay this WAIS request.</p>"},
	{ZeroSizeObject, "Empty answer", aboutURL +
		"<p>The server closed the connection without sending anything.</p>"},
	{FTPDisabled, "FTP is switched off", aboutURL +
		"<p>This proxy does not serve FTP URLs.</p>"},
	{FTPFailure, "FTP failed", aboutURL + aboutFTP +
		"<p>The FTP server did not do what was asked.</p>"},
	{URNResolve, "The URN cannot be resolved", aboutURL +
		"<p>No location is known for this name (%T).</p>"},
	{AccessDenied, "Access denied", aboutURL +
		"<p>The access rules of this proxy do not allow this request.</p>"},
	{CacheAccessDenied, "Who are you?", aboutURL +
		"<p>%h wants to know a user name and a password before it serves <strong>%U</strong>.</p>"},
	{ManagerDenied, "Manager access denied", aboutURL +
		"<p>A password is needed for <strong>%U</strong>.</p>"},
	{FTPPutCreated, "File created", "<p>The file was stored on the FTP server.</p>"},
	{FTPPutModified, "File replaced", "<p>The file was stored on the FTP server in place of the old one.</p>"},
	{FTPPutError, "FTP upload failed", aboutURL + aboutFTP +
		"<p>The FTP server did not take the file: check the path, the permissions and the space there.</p>"},
	{FTPNotFound, "No such file on the FTP server", aboutURL + aboutFTP +
		`<p>It may be a directory: <a href="%B">%B</a></p>`},
	{FTPForbidden, "FTP login refused", aboutURL + aboutFTP +
		"<p>The FTP server does not accept the user name and the password.</p>"},
	{FTPUnavailable, "FTP server busy", aboutURL + aboutFTP +
		"<p>The FTP server takes no more users at the moment.</p>"},
	{OnlyIfCachedMiss, "Not in the cache", aboutURL +
		"<p>The request asked for an answer from the cache only (<code>only-if-cached</code>), and there is none.</p>"},
	{TooBig, "Too large", aboutURL +
		"<p>The request or its answer exceeds a size limit of this proxy.</p>"},
	{InvalidReply, "The server's answer makes no sense", "<pre>%R</pre>" +
		"<p>The answer to this request is no valid HTTP message.</p>"},
}

// html makes a template of a built-in page.
func (b *builtin) html() string {
	var t strings.Builder
	t.WriteString("<!DOCTYPE html>\n<html><head><meta charset=\"iso-8859-1\"><title>" + b.headline + "</title></head>\n<body>\n<h1>")
	t.WriteString(b.headline + "</h1>\n" + b.text + "\n")
	if b.name != FTPPutCreated && b.name != FTPPutModified {
		t.WriteString(contact)
	}
	return t.String()
}
