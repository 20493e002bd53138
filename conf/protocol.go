package conf

// URIWhitespace is the value of uri_whitespace.
type URIWhitespace uint8

// The values of uri_whitespace.
const (
	WhitespaceStrip URIWhitespace = iota
	WhitespaceDeny
	WhitespaceAllow
	WhitespaceEncode
	WhitespaceChop
)

// ProtocolSettings are choices about HTTP itself.
type ProtocolSettings struct {
	// ExtensionMethods is extension_methods: method names accepted beside the known ones.
	ExtensionMethods []string
	// RequestEntities is request_entities: GET and HEAD may carry a body.
	RequestEntities bool
	// URIWhitespace is uri_whitespace.
	URIWhitespace URIWhitespace
	// PipelinePrefetch is pipeline_prefetch.
	PipelinePrefetch bool
}
