package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recordedPacket is one packet of a recording in testdata/wccp2.
type recordedPacket struct {
	Dir     string `json:"dir"`
	Message string `json:"message"`
	Hex     string `json:"hex"`
	Name    string `json:"-"`
}

func recordedPackets(t testing.TB) []recordedPacket {
	t.Helper()
	names, err := filepath.Glob("../../testdata/wccp2/*.json")
	if err != nil || len(names) < 40 {
		t.Fatalf("%d recordings, %v", len(names), err)
	}
	var all []recordedPacket
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var s struct {
			Recorded struct{ Packets []recordedPacket }
		}
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatal(name, err)
		}
		for _, p := range s.Recorded.Packets {
			p.Name = strings.TrimSuffix(filepath.Base(name), ".json")
			all = append(all, p)
		}
	}
	return all
}

func (p recordedPacket) bytes(t testing.TB) []byte {
	b, err := hex.DecodeString(p.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// spoilt names the scenarios in which the router's answers are malformed on
// purpose, with what is wrong with them.
var spoilt = map[string]string{
	"huge-counts": "router view: 1073741825 routers announced", "truncated-answers": "left",
	"view-missing": "no router view", "zero-length-component": "security twice",
}

// TestRecordedPackets reads every recorded packet and writes it again, octet for octet.
func TestRecordedPackets(t *testing.T) {
	passwords := []string{"", "abc", "alongerpassword", "right", "notright"}
	read, refused := 0, 0
	for _, p := range recordedPackets(t) {
		raw := p.bytes(t)
		if IsV1(raw) {
			m, err := ParseV1(raw)
			if err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
			if again, err := m.Append(nil); err != nil || (m.Type != V1ISeeYou && !bytes.Equal(again, raw)) {
				t.Errorf("%s %s: %v\n got %x\nwant %x", p.Name, p.Message, err, again, raw)
			}
			read++
			continue
		}
		m, err := Parse(raw)
		if err != nil {
			if why := spoilt[p.Name]; p.Dir != "router" || why == "" || !strings.Contains(err.Error(), why) {
				t.Errorf("%s %s: %v", p.Name, p.Message, err)
			}
			refused++
			continue
		}
		if m.Type.String() != p.Message {
			t.Errorf("%s: %s read as %s", p.Name, p.Message, m.Type)
		}
		password := ""
		if m.Security.Option == MD5Security {
			for _, w := range passwords {
				if Authentic(raw, m, w) {
					password = w
				}
			}
			if password == "" {
				t.Errorf("%s %s: no password fits", p.Name, p.Message)
			}
		}
		again, err := m.Append(nil, password)
		if p.Name == "unknown-components" && err == nil {
			// The components come in another order there: the same must be said, in ours.
			if back, err := Parse(again); err != nil || !cmp.Equal(m, back, equal) || len(again) != len(raw) {
				t.Errorf("%s: %v %s", p.Name, err, cmp.Diff(m, back, equal))
			}
		} else if err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s %s: %v\n got %x\nwant %x", p.Name, p.Message, err, again, raw)
		}
		read++
	}
	if read < 500 || refused < 5 {
		t.Errorf("%d packets read, %d refused", read, refused)
	}
	t.Logf("%d packets read and written, %d refused", read, refused)
}

// TestTruncation cuts every kind of recorded packet at every length: never a
// panic, and never a message out of part of one.
func TestTruncation(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range recordedPackets(t) {
		raw := p.bytes(t)
		if seen[p.Message+p.Name[:2]] {
			continue
		}
		seen[p.Message+p.Name[:2]] = true
		for n := range len(raw) {
			if m, err := Parse(raw[:n]); err == nil {
				t.Fatalf("%s: %d of %d octets give %v", p.Name, n, len(raw), m)
			}
			if p.Message == "V1_I_SEE_YOU" {
				continue
			}
			if m, err := ParseV1(raw[:n]); err == nil {
				t.Fatalf("%s: %d of %d octets give %v", p.Name, n, len(raw), m)
			}
		}
	}
}
