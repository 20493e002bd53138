package tls

// Alert is a reason for which a connection is refused (RFC 8446 section 6.2).
type Alert byte

// The alerts a client of ours can get.
const (
	DecodeError      Alert = 50
	AccessDenied     Alert = 49
	InternalError    Alert = 80
	UnrecognizedName Alert = 112
)

// Append appends the record of a fatal alert. It goes out in the clear, as it does
// from every server that refuses a ClientHello.
func (a Alert) Append(dst []byte) []byte {
	const recordAlert, fatal = 21, 2
	return append(dst, recordAlert, 3, 3, 0, 2, fatal, byte(a))
}
