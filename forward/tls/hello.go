package tls

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// MaxHello is the most a ClientHello may take, in octets, with the headers of its
// records. Post-quantum key shares make it 1.5 to 2 KB; nothing real comes near.
const MaxHello = 64 << 10

// Hello is what a ClientHello says that decides where a connection may go.
type Hello struct {
	// ServerName is the name asked for, in lower case, without a dot at its end;
	// empty when there is none.
	ServerName string
	// Encrypted reports whether an encrypted ClientHello came along, real or random.
	Encrypted bool
	// protocols is the list of ALPN names, for Protocols.
	protocols cryptobyte.String
}

// State is how far a ClientHello has come.
type State int

const (
	// NeedMore: what is there begins a ClientHello and does not end it.
	NeedMore State = iota
	// Complete: the ClientHello is whole.
	Complete
	// NotTLS: these bytes begin no TLS connection.
	NotTLS
	// Malformed: TLS it is, but not as the RFCs have it; two servers could read two
	// names in it.
	Malformed
)

// Record and handshake types (RFC 8446 sections 4 and 5.1).
const (
	recordHandshake = 22
	recordHeader    = 5
	maxRecord       = 1 << 14
	clientHello     = 1
	messageHeader   = 4
)

// Reader puts a ClientHello together from the bytes that have come so far. The zero
// value is ready; a Reader can be used again after Reset.
type Reader struct {
	message []byte // the handshake message, out of its records
	used    int    // bytes of the input that are in message or were headers
}

// Reset forgets what was read and keeps the storage.
func (r *Reader) Reset() { r.message, r.used = r.message[:0], 0 }

// Read looks at everything the client has sent so far: each call gets the bytes of
// the one before it and those that came since. An error comes with Malformed only
// and says what is wrong.
func (r *Reader) Read(b []byte) (h Hello, _ State, _ error) {
	if !looksLikeTLS(b) {
		return h, NotTLS, nil
	}
	for {
		rest := b[r.used:]
		if len(rest) < recordHeader {
			return h, r.more(b), nil
		}
		length := int(binary.BigEndian.Uint16(rest[3:]))
		switch {
		case rest[0] != recordHandshake:
			return h, Malformed, fmt.Errorf("a record of type %d inside the ClientHello", rest[0])
		case rest[1] != 3:
			return h, Malformed, fmt.Errorf("a record of version %d.%d", rest[1], rest[2])
		case length == 0:
			return h, Malformed, errors.New("an empty record inside the ClientHello")
		case length > maxRecord:
			return h, Malformed, fmt.Errorf("a record of %d octets", length)
		case r.used+recordHeader+length > MaxHello:
			return h, Malformed, fmt.Errorf("the ClientHello is longer than %d octets", MaxHello)
		case len(rest) < recordHeader+length:
			return h, r.more(b), nil
		}
		r.message = append(r.message, rest[recordHeader:recordHeader+length]...)
		r.used += recordHeader + length
		if done, err := r.whole(); err != nil {
			return h, Malformed, err
		} else if done {
			break
		}
	}
	body := r.message[messageHeader:]
	if err := h.parse(body[:int24(r.message[1:])]); err != nil {
		return Hello{}, Malformed, err
	}
	return h, Complete, nil
}

// more is NeedMore as long as more may come.
func (r *Reader) more(b []byte) State {
	if len(b) >= MaxHello {
		return Malformed
	}
	return NeedMore
}

// whole reports whether the message is a ClientHello with all its octets.
func (r *Reader) whole() (bool, error) {
	if r.message[0] != clientHello {
		return false, fmt.Errorf("a handshake message of type %d before the ClientHello", r.message[0])
	}
	if len(r.message) < messageHeader {
		return false, nil
	}
	n := int24(r.message[1:])
	if n > MaxHello {
		return false, fmt.Errorf("a ClientHello of %d octets", n)
	}
	return len(r.message) >= messageHeader+n, nil
}

// looksLikeTLS reports whether the bytes, as far as they have come, are the beginning of a TLS
// record with a handshake message in it.
func looksLikeTLS(b []byte) bool {
	return (len(b) < 1 || b[0] == recordHandshake) && (len(b) < 2 || b[1] == 3) && (len(b) < 3 || b[2] <= 4)
}

func int24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
