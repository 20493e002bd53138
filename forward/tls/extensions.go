package tls

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
)

// Extensions that are looked at (IANA, TLS ExtensionType Values).
const (
	extServerName = 0
	extALPN       = 16
	extECH        = 0xfe0d
)

var errCutShort = errors.New("a field of the ClientHello is longer than what holds it")

// parse reads the body of a ClientHello message.
func (h *Hello) parse(body []byte) error {
	s := cryptobyte.String(body)
	var session, suites, methods, extensions cryptobyte.String
	if !s.Skip(2+32) || !s.ReadUint8LengthPrefixed(&session) || !s.ReadUint16LengthPrefixed(&suites) || !s.ReadUint8LengthPrefixed(&methods) {
		return errCutShort
	}
	if len(session) > 32 || len(suites) < 2 || len(suites)%2 != 0 || len(methods) == 0 {
		return errors.New("session, cipher suites or compression methods of impossible length")
	}
	if s.Empty() {
		return nil // as before TLS 1.2: no extensions
	}
	if !s.ReadUint16LengthPrefixed(&extensions) || !s.Empty() {
		return errCutShort
	}
	var room [32]uint16
	kinds := room[:0]
	for !extensions.Empty() {
		var kind uint16
		var data cryptobyte.String
		if !extensions.ReadUint16(&kind) || !extensions.ReadUint16LengthPrefixed(&data) {
			return errCutShort
		}
		kinds = append(kinds, kind)
		var err error
		switch kind {
		case extServerName:
			err = h.serverName(data)
		case extALPN:
			err = h.readProtocols(data)
		case extECH:
			h.Encrypted = true
		}
		if err != nil {
			return err
		}
	}
	return noneTwice(kinds)
}

// noneTwice is RFC 8446 section 4.2: one server might take the first of two, another
// the last. It puts kinds in order.
func noneTwice(kinds []uint16) error {
	slices.Sort(kinds)
	for i := 1; i < len(kinds); i++ {
		if kinds[i] == kinds[i-1] {
			return fmt.Errorf("the extension %d comes twice", kinds[i])
		}
	}
	return nil
}

// serverName reads the list of RFC 6066 section 3, in which there is one host name.
func (h *Hello) serverName(data cryptobyte.String) error {
	var list, name cryptobyte.String
	var kind uint8
	if !data.ReadUint16LengthPrefixed(&list) || !data.Empty() || list.Empty() {
		return errCutShort
	}
	if !list.ReadUint8(&kind) || !list.ReadUint16LengthPrefixed(&name) {
		return errCutShort
	}
	if kind != 0 || !list.Empty() {
		return errors.New("server_name holds something else than one host name")
	}
	host := strings.TrimSuffix(string(name), ".")
	if !plausibleHost(host) {
		return fmt.Errorf("%q is no host name", host)
	}
	h.ServerName = strings.ToLower(host)
	return nil
}

// plausibleHost reports whether a name can stand in a URL and in DNS: what it is
// made of is what access lists and logs can show.
func plausibleHost(name string) bool {
	if name == "" || len(name) > 253 || name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, "..") {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == ':':
		default:
			return false
		}
	}
	return true
}

// readProtocols checks the list of RFC 7301 section 3.1.
func (h *Hello) readProtocols(data cryptobyte.String) error {
	if !data.ReadUint16LengthPrefixed(&h.protocols) || !data.Empty() || h.protocols.Empty() {
		return errCutShort
	}
	for list := h.protocols; !list.Empty(); {
		var name cryptobyte.String
		if !list.ReadUint8LengthPrefixed(&name) || name.Empty() {
			return errCutShort
		}
	}
	return nil
}

// Protocols are the ALPN names offered, in order. They are looked up in what the Reader
// holds, until its next use.
func (h *Hello) Protocols() (names []string) {
	list := h.protocols
	for !list.Empty() {
		var name cryptobyte.String
		if !list.ReadUint8LengthPrefixed(&name) {
			break
		}
		names = append(names, string(name))
	}
	return names
}
