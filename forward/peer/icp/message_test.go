package icp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Messages of a running 2.6.
func TestRecorded(t *testing.T) {
	for _, c := range []struct {
		name, hex string
		want      Message
	}{
		{"a refusal", "1602003100001267000000000000000000000000687474703a2f2f7777772e746573743a32383030302f6d3630302f6200",
			Message{Opcode: Denied, Version: 2, Number: 4711, URL: []byte("http://www.test:28000/m600/b")}},
		{"a query", "0102003500000001000000000000000000000000" + "00000000" + "687474703a2f2f7777772e746573743a32383030302f6d3630302f6100",
			Message{Opcode: Query, Version: 2, Number: 1, URL: []byte("http://www.test:28000/m600/a")}},
		{"round trip", "03020026000012674000000000151170000000006874 74703a2f2f6661722e746573742f7800",
			Message{Opcode: Miss, Version: 2, Number: 4711, Flags: SourceRTT, Option: 0x151170, URL: []byte("http://far.test/x")}},
	} {
		b := unhex(t, string(bytes.ReplaceAll([]byte(c.hex), []byte(" "), nil)))
		var m Message
		if err := m.Parse(b); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if m.Opcode != c.want.Opcode || m.Number != c.want.Number || m.Flags != c.want.Flags || m.Option != c.want.Option || !bytes.Equal(m.URL, c.want.URL) {
			t.Errorf("%s: %+v", c.name, m)
		}
		if again, ok := m.Append(nil); !ok || !bytes.Equal(again, b) {
			t.Errorf("%s: written again %x", c.name, again)
		}
	}
	m := Message{Flags: SourceRTT, Option: 0x00151170}
	if ms, hops := m.RoundTrip(); ms != 0x1170 || hops != 0x15 {
		t.Errorf("round trip %d ms, %d hops", ms, hops)
	}
	m.Flags = HitObject
	if ms, hops := m.RoundTrip(); ms != 0 || hops != 0 {
		t.Error("a round trip without the flag")
	}
}

func TestParseFaults(t *testing.T) {
	good := "0102003500000001000000000000000000000000" + "00000000" + "687474703a2f2f7777772e746573743a32383030302f6d3630302f6100"
	for _, c := range []struct {
		hex  string
		want error
	}{
		{"", ErrShort}, {"01", ErrShort}, {"01020013000000010000000000000000000000", ErrShort},
		{"01020034" + good[8:], ErrLength}, {"01020000" + good[8:], ErrLength}, {"0102ffff" + good[8:], ErrLength},
		{"01010035" + good[8:], ErrVersion}, {"01040035" + good[8:], ErrVersion},
		{"0102001400000001000000000000000000000000", ErrNoURL}, {"01020016000000020000000000000000000000000000", ErrNoURL},
		{good, nil}, {"01030035" + good[8:], nil}, {"63020035" + good[8:], nil},
		{"010200180000000300000000000000000000000000000000", nil}, // an empty URL
	} {
		var m Message
		if err := m.Parse(unhex(t, c.hex)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.hex, err, c.want)
		}
	}
}

// What is written is read back, whatever is in it; too long a URL is not written.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Message{
			Opcode: Opcode(rapid.Byte().Draw(t, "opcode")), Version: 2, Number: rapid.Uint32().Draw(t, "number"),
			Flags: rapid.Uint32().Draw(t, "flags"), Option: rapid.Uint32().Draw(t, "option"),
			Sender: [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "sender")),
			URL:    rapid.SliceOf(rapid.ByteRange(1, 255)).Draw(t, "url"),
		}
		if want.Opcode == Query {
			want.Requester = [4]byte{10, 0, 0, 1}
		}
		b, ok := want.Append([]byte("before"))
		if !ok || !bytes.HasPrefix(b, []byte("before")) {
			t.Fatalf("%q", b)
		}
		var got Message
		if err := got.Parse(b[6:]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.URL, want.URL) {
			t.Fatalf("URL %q", got.URL)
		}
		got.URL, want.URL = nil, nil
		if got.Opcode != want.Opcode || got.Number != want.Number || got.Flags != want.Flags || got.Option != want.Option ||
			got.Sender != want.Sender || got.Requester != want.Requester {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
	for size, want := range map[int]bool{MaxSize - headerSize - 1: true, MaxSize - headerSize: false, MaxSize - headerSize - 4: true} {
		m := Message{Opcode: Miss, URL: bytes.Repeat([]byte("a"), size)}
		if b, ok := m.Append(nil); ok != want || !ok && len(b) > 0 {
			t.Errorf("a URL of %d: %v", size, ok)
		}
		m.Opcode = Query
		if _, ok := m.Append(nil); ok != (size <= MaxSize-headerSize-5) {
			t.Errorf("a query for a URL of %d: %v", size, ok)
		}
	}
}

func TestOpcodeNames(t *testing.T) {
	if Query.String() != "ICP_QUERY" || MissNoFetch.String() != "ICP_MISS_NOFETCH" || Opcode(99).String() != "ICP opcode 99" {
		t.Errorf("%v %v %v", Query, MissNoFetch, Opcode(99))
	}
}

// Hostile bytes are refused, or are a message that is written the same again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"0102001400000001000000000000000000000000", "010200180000000300000000000000000000000000000000",
		"0102003500000001000000000000000000000000" + "00000000" + "687474703a2f2f7777772e746573743a32383030302f6d3630302f6100",
		"1602003100001267000000000000000000000000687474703a2f2f7777772e746573743a32383030302f6d3630302f6200",
	} {
		b, _ := hex.DecodeString(seed)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		if m.Parse(b) != nil {
			return
		}
		again, ok := m.Append(nil)
		if !ok {
			if len(m.URL) < MaxSize-headerSize-5 {
				t.Fatalf("%x is not written again", b)
			}
			return
		}
		var second Message
		if err := second.Parse(again); err != nil || !bytes.Equal(second.URL, m.URL) || second.Number != m.Number {
			t.Fatalf("%x: %v %+v, first %+v", again, err, second, m)
		}
	})
}
