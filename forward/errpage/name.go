package errpage

// Name is the name of a page: what X-Squid-Error and %c say, and the name of
// its template file.
type Name string

// The pages Squid 2.6 has.
const (
	ReadTimeout        Name = "ERR_READ_TIMEOUT"
	LifetimeExpired    Name = "ERR_LIFETIME_EXP"
	ReadError          Name = "ERR_READ_ERROR"
	WriteError         Name = "ERR_WRITE_ERROR"
	ShuttingDown       Name = "ERR_SHUTTING_DOWN"
	ConnectFail        Name = "ERR_CONNECT_FAIL"
	InvalidRequest     Name = "ERR_INVALID_REQ"
	UnsupportedRequest Name = "ERR_UNSUP_REQ"
	InvalidURL         Name = "ERR_INVALID_URL"
	SocketFailure      Name = "ERR_SOCKET_FAILURE"
	DNSFail            Name = "ERR_DNS_FAIL"
	CannotForward      Name = "ERR_CANNOT_FORWARD"
	ForwardingDenied   Name = "ERR_FORWARDING_DENIED"
	NoRelay            Name = "ERR_NO_RELAY"
	ZeroSizeObject     Name = "ERR_ZERO_SIZE_OBJECT"
	FTPDisabled        Name = "ERR_FTP_DISABLED"
	FTPFailure         Name = "ERR_FTP_FAILURE"
	URNResolve         Name = "ERR_URN_RESOLVE"
	AccessDenied       Name = "ERR_ACCESS_DENIED"
	CacheAccessDenied  Name = "ERR_CACHE_ACCESS_DENIED"
	ManagerDenied      Name = "ERR_CACHE_MGR_ACCESS_DENIED"
	FTPPutCreated      Name = "ERR_FTP_PUT_CREATED"
	FTPPutModified     Name = "ERR_FTP_PUT_MODIFIED"
	FTPPutError        Name = "ERR_FTP_PUT_ERROR"
	FTPNotFound        Name = "ERR_FTP_NOT_FOUND"
	FTPForbidden       Name = "ERR_FTP_FORBIDDEN"
	FTPUnavailable     Name = "ERR_FTP_UNAVAILABLE"
	OnlyIfCachedMiss   Name = "ERR_ONLY_IF_CACHED_MISS"
	TooBig             Name = "ERR_TOO_BIG"
	InvalidReply       Name = "ERR_INVALID_RESP"

	// Signature ends every page (%S); it is no error.
	Signature Name = "ERR_SQUID_SIGNATURE"
	// Reset, named by deny_info, means closing the connection with a reset
	// instead of answering.
	Reset Name = "TCP_RESET"
)

// Status is the status code the page usually goes with. Some have another one
// in places: 504 for a ConnectFail that timed out, 403 for a reply that is
// TooBig, 404 for the DNSFail of a tunnel.
func (n Name) Status() int {
	switch n {
	case InvalidRequest, InvalidURL:
		return 400
	case ManagerDenied:
		return 401
	case AccessDenied, ForwardingDenied, FTPForbidden:
		return 403
	case URNResolve, FTPNotFound:
		return 404
	case CacheAccessDenied:
		return 407
	case LifetimeExpired:
		return 408
	case TooBig:
		return 413
	case SocketFailure:
		return 500
	case UnsupportedRequest:
		return 501
	case ReadError, WriteError, ZeroSizeObject, FTPFailure, FTPPutError, InvalidReply:
		return 502
	case ShuttingDown, ConnectFail, DNSFail, CannotForward, NoRelay, FTPDisabled, FTPUnavailable:
		return 503
	case ReadTimeout, OnlyIfCachedMiss:
		return 504
	case FTPPutCreated:
		return 201
	case FTPPutModified:
		return 200
	}
	return 403 // a page of the operator's, for deny_info
}
