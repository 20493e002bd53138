package auth

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// digestField is the parameters of a Digest Authorization field (RFC 2617 section 3.2.2).
type digestField struct {
	username, realm, nonce, uri, qop, nc, cnonce, response, algorithm string
	named                                                             bool // username is there
}

// parseDigest reads NAME=VALUE, with or without quotes, separated by commas. What is no
// such pair is passed over.
func parseDigest(text []byte) (d digestField) {
	for len(text) > 0 {
		text = bytes.TrimLeft(text, ", \t")
		end := bytes.IndexAny(text, "=,")
		if end < 0 {
			return d
		}
		name := bytes.TrimRight(text[:end], " \t")
		if text[end] == ',' {
			text = text[end:]
			continue
		}
		var value string
		value, text = digestValue(bytes.TrimLeft(text[end+1:], " \t"))
		d.set(name, value)
	}
	return d
}

func digestValue(text []byte) (value string, rest []byte) {
	if len(text) == 0 || text[0] != '"' {
		end := bytes.IndexByte(text, ',')
		if end < 0 {
			end = len(text)
		}
		return string(bytes.TrimRight(text[:end], " \t")), text[end:]
	}
	value, rest, _ = http1.Quoted(text)
	return value, rest
}

func (d *digestField) set(name []byte, value string) {
	for _, p := range []struct {
		name string
		to   *string
	}{
		{"username", &d.username}, {"realm", &d.realm}, {"nonce", &d.nonce}, {"uri", &d.uri}, {"qop", &d.qop},
		{"nc", &d.nc}, {"cnonce", &d.cnonce}, {"response", &d.response}, {"algorithm", &d.algorithm},
	} {
		if http1.EqualFold(name, p.name) {
			*p.to = value
			d.named = d.named || p.name == "username"
		}
	}
}
