package conf

import (
	"time"

	"github.com/cuttle-proxy/cuttle/parser"
)

// AuthSettings are the ways clients prove who they are.
type AuthSettings struct {
	// AuthSchemes is auth_param, one entry a scheme in order of first mention.
	AuthSchemes []*AuthScheme
	// AuthenticateCacheGarbageInterval is authenticate_cache_garbage_interval.
	AuthenticateCacheGarbageInterval time.Duration
	// AuthenticateTTL is authenticate_ttl.
	AuthenticateTTL time.Duration
	// AuthenticateIPTTL is authenticate_ip_ttl.
	AuthenticateIPTTL time.Duration
}

// AuthScheme is everything auth_param says about one scheme. Fields a scheme does
// not know keep their zero value.
type AuthScheme struct {
	// Name is "basic", "digest", "ntlm" or "negotiate".
	Name        string
	Program     []string
	Children    int
	Concurrency int
	Realm       string
	// KeepAlive: ntlm and negotiate.
	KeepAlive bool

	// CredentialsTTL, CaseSensitive and BlankPassword: basic.
	CredentialsTTL time.Duration
	CaseSensitive  bool
	BlankPassword  bool

	// The nonce settings: digest.
	NonceGarbageInterval time.Duration
	NonceMaxDuration     time.Duration
	NonceMaxCount        int
	NonceStrictness      bool
	CheckNonceCount      bool
	PostWorkaround       bool

	Pos parser.Pos
}
