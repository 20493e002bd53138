package conf

import (
	"slices"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// The options that are read and not acted on in this release, by directive.

// inertPeer are those of cache_peer.
var inertPeer = append([]Option{
	{Name: "ssl", Harm: &Harm{Text: "requests, and the passwords in them, would go to this peer in clear"}},
	{Name: "sslversion="},
}, inertPeerTLS()...)

func inertPeerTLS() (list []Option) {
	for _, o := range peerTLS {
		list = append(list, Option{Name: o.name + "="})
	}
	return list
}

// wordAt finds a word in its place.
func wordAt(place int, is func(string) bool) func([]parser.Word) int {
	return func(words []parser.Word) int {
		if len(words) > place && is(words[place].Text) {
			return place
		}
		return -1
	}
}

// inertCacheDir are those of cache_dir: no directory has a queue of its own to a
// process of its own, and nothing is kept in one large file.
var inertCacheDir = []Option{
	{Name: "coss", find: wordAt(0, func(w string) bool { return strings.EqualFold(w, "coss") }), Why: "objects are kept in files of their own only",
		Harm: &Harm{Text: "nothing would be kept there; write aufs, the path of a folder for it, its size, 16 256, and run squid -z"}},
	{Name: "Q1=", Effect: Obsolete}, {Name: "Q2=", Effect: Obsolete},
}

// inertRefresh are those of refresh_pattern: without a cache only the largest age counts.
var inertRefresh = append([]Option{{Name: "ignore-stale-while-revalidate"}}, inertRefreshNames()...)

func inertRefreshNames() (list []Option) {
	for _, f := range refreshFlags {
		list = append(list, Option{Name: f.name})
	}
	for _, t := range refreshTimes {
		list = append(list, Option{Name: t.name + "="})
	}
	return list
}

// inertACL are those of acl: a rule about the cache manager decides about nobody.
var inertACL = []Option{{Name: "proto cache_object", Why: "there is no cache manager", find: func(words []parser.Word) int {
	if len(words) < 3 || !strings.HasPrefix(words[1].Text, string(ACLProto)) {
		return -1
	}
	return slices.IndexFunc(words, func(w parser.Word) bool { return w.Text == "cache_object" })
}}}

// inertHTTPS are those of https_port: only a port that passes TLS on acts.
var inertHTTPS = []Option{{Name: "cert=", Why: unopened}, {Name: "without transparent", Why: unopened, find: func(words []parser.Word) int {
	for _, w := range words {
		if name, _, _ := strings.Cut(w.Text, "="); name == "transparent" || name == "tproxy" || name == "cert" {
			return -1
		}
	}
	return 0
}}}

const unopened = "TLS is not terminated, the port is not opened"
