package tls

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// corpus is the ClientHellos of testdata/tls by the name of the client.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files, _ := filepath.Glob("../../testdata/tls/*.hex")
	if len(files) < 10 {
		t.Fatalf("%d recorded ClientHellos", len(files))
	}
	all := map[string][]byte{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".hex")] = b
	}
	return all
}

func wantName(client string) string {
	if client == "openssl-no-name" {
		return ""
	}
	return "www.example.test"
}

func TestRecordedHellos(t *testing.T) {
	for client, b := range corpus(t) {
		var r Reader
		h, state, err := r.Read(b)
		if state != Complete || h.ServerName != wantName(client) {
			t.Errorf("%s: state %d, name %q, %v", client, state, h.ServerName, err)
		}
		if wantECH := client == "chromium" || client == "go-ech"; h.Encrypted != wantECH {
			t.Errorf("%s: encrypted %v", client, h.Encrypted)
		}
		if client == "go-ech" && bytes.Contains(b, []byte("hidden")) {
			t.Error("the inner name can be seen")
		}
		if client == "chromium" && !slices.Equal(h.Protocols(), []string{"h2", "http/1.1"}) {
			t.Errorf("%s: protocols %q", client, h.Protocols())
		}
	}
}

// Every hello, split at every byte, gives nothing before its end and the same name
// there.
func TestEverySplitGivesTheSameName(t *testing.T) {
	for client, b := range corpus(t) {
		for at := range len(b) {
			var r Reader
			if h, state, err := r.Read(b[:at]); state != NeedMore {
				t.Fatalf("%s: the first %d of %d octets give state %d, %+v, %v", client, at, len(b), state, h, err)
			}
			if h, state, err := r.Read(b); state != Complete || h.ServerName != wantName(client) {
				t.Fatalf("%s split at %d: state %d, name %q, %v", client, at, state, h.ServerName, err)
			}
		}
		var r Reader
		for at := range len(b) {
			r.Read(b[:at])
		}
		if h, state, _ := r.Read(b); state != Complete || h.ServerName != wantName(client) {
			t.Errorf("%s, octet by octet: state %d, name %q", client, state, h.ServerName)
		}
	}
}

// inRecords puts the handshake message of a hello into records of a size.
func inRecords(b []byte, size int) (out []byte) {
	for message := range slices.Chunk(b[recordHeader:], size) {
		out = append(out, recordHandshake, 3, 1, byte(len(message)>>8), byte(len(message)))
		out = append(out, message...)
	}
	return out
}

func TestManyRecordsGiveTheSameName(t *testing.T) {
	for client, b := range corpus(t) {
		for _, size := range []int{1, 3, 5, 64, 200, 1400} {
			var r Reader
			if h, state, err := r.Read(inRecords(b, size)); state != Complete || h.ServerName != wantName(client) {
				t.Errorf("%s in records of %d: state %d, name %q, %v", client, size, state, h.ServerName, err)
			}
		}
	}
}

func TestWhatComesBehindIsLeftAlone(t *testing.T) {
	b := corpus(t)["openssl"]
	var r Reader
	h, state, err := r.Read(append(slices.Clone(b), "early data of some kind"...))
	if state != Complete || h.ServerName != "www.example.test" {
		t.Errorf("state %d, %+v, %v", state, h, err)
	}
	r.Reset()
	if h, state, _ := r.Read(corpus(t)["openssl-no-name"]); state != Complete || h.ServerName != "" {
		t.Errorf("used again: state %d, %+v", state, h)
	}
}

func TestNotTLS(t *testing.T) {
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\x80\x2e\x01\x03\x01", "\x16\x02\x01", "\x16\x03\x05", "\x17\x03\x03\x00\x05"} {
		var r Reader
		if h, state, _ := r.Read([]byte(text)); state != NotTLS {
			t.Errorf("%q: state %d, %+v", text, state, h)
		}
	}
	var r Reader
	if _, state, _ := r.Read(nil); state != NeedMore {
		t.Errorf("nothing yet: state %d", state)
	}
}

func TestEndlessHelloIsRefused(t *testing.T) {
	head := []byte{recordHandshake, 3, 1, 0x40, 0}
	var b []byte
	for len(b) < 2*MaxHello {
		b = append(append(b, head...), bytes.Repeat([]byte{clientHello, 0, 0xff, 0xf0}, maxRecord/4)...)
		var r Reader
		if _, state, _ := r.Read(b); state == Complete {
			t.Fatalf("%d octets are a ClientHello", len(b))
		} else if state == NeedMore && len(b) > MaxHello {
			t.Fatalf("after %d octets more is waited for", len(b))
		}
	}
}
