package htcp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// Heads of messages of a running 2.6, and the same in the old order of bits.
func TestBits(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want Message
	}{
		{"000e0001" + "00081002" + "00000063" + "0002", Message{Minor: 1, Opcode: TST, F1: true, Number: 99}},
		{"000e0001" + "00084201" + "0000004d" + "0002", Message{Minor: 1, Opcode: CLR, Response: Gone, Answer: true, Number: 77}},
		{"000e0001" + "00081101" + "ffffffff" + "0002", Message{Minor: 1, Opcode: TST, Response: Absent, Answer: true, Number: 1<<32 - 1}},
		{"000e0000" + "00080140" + "00000063" + "0002", Message{Opcode: TST, F1: true, Number: 99}},
		{"000e0000" + "000811c0" + "00000001" + "0002", Message{Opcode: TST, Response: Absent, Answer: true, F1: true, Number: 1}},
	} {
		b, _ := hex.DecodeString(c.hex)
		var m Message
		if err := m.Parse(b); err != nil {
			t.Fatalf("%s: %v", c.hex, err)
		}
		if m.Data = nil; m.Minor != c.want.Minor || m.Opcode != c.want.Opcode || m.Response != c.want.Response || m.Answer != c.want.Answer ||
			m.F1 != c.want.F1 || m.Number != c.want.Number {
			t.Errorf("%s: %+v, want %+v", c.hex, m, c.want)
		}
		if again, ok := m.Append(nil); !ok || !bytes.Equal(again, b) {
			t.Errorf("%s: written again %x", c.hex, again)
		}
	}
}

func TestParseFaults(t *testing.T) {
	for in, want := range map[string]error{
		"": ErrShort, "00": ErrShort, "00040001": ErrShort, "000b0001000810020000000a"[:22]: ErrShort,
		"000c0001000810020000000a": nil, // no authentication at all
		"000d0001000810020000000a": ErrLength, "000c0101000810020000000a": ErrVersion,
		"000c0001000710020000000a": ErrData, "000c0001000910020000000a": ErrData, "000c0001ffff10020000000a": ErrData,
		"000e0001000810020000000affff": nil, "000c00ff000810020000000a": nil,
	} {
		b, _ := hex.DecodeString(in)
		var m Message
		if err := m.Parse(b); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
}

func TestTexts(t *testing.T) {
	var s Specifier
	for in, want := range map[string]error{
		"": ErrCut, "00": ErrCut, "ffff": ErrCut, "0003474554ffff": ErrCut, "000347455400026162": ErrCut,
		"0003474554" + "00026162" + "0000" + "0000": nil, "0000000000000000ffff": nil,
	} {
		b, _ := hex.DecodeString(in)
		if err := s.Parse(b); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
	if b, ok := (&Specifier{URI: make([]byte, 1<<16)}).Append(nil); ok {
		t.Errorf("a text of 65,536 octets became %d", len(b))
	}
	m := Message{Data: make([]byte, MaxData+1)}
	if _, ok := m.Append(nil); ok {
		t.Error("more data than fits")
	}
	m.Data = m.Data[:MaxData]
	if b, ok := m.Append(nil); !ok || len(b) != MaxSize {
		t.Errorf("the most data: %d octets", len(b))
	}
}

// What is written is read back, whatever is in it.
func TestRoundTrip(t *testing.T) {
	text := rapid.SliceOfN(rapid.Byte(), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		spec := Specifier{text.Draw(t, "method"), text.Draw(t, "uri"), text.Draw(t, "version"), text.Draw(t, "fields")}
		data, ok := spec.Append(nil)
		if !ok {
			t.Fatal("not written")
		}
		want := Message{
			Minor: rapid.Uint8Range(0, 1).Draw(t, "minor"), Opcode: Opcode(rapid.Uint8Range(0, 15).Draw(t, "opcode")),
			Response: rapid.Uint8Range(0, 15).Draw(t, "response"), Answer: rapid.Bool().Draw(t, "answer"), F1: rapid.Bool().Draw(t, "f1"),
			Number: rapid.Uint32().Draw(t, "number"), Data: data,
		}
		b, ok := want.Append(nil)
		if !ok {
			t.Fatal("not written")
		}
		var got Message
		if err := got.Parse(b); err != nil {
			t.Fatal(err)
		}
		if got.Minor != want.Minor || got.Opcode != want.Opcode || got.Response != want.Response || got.Answer != want.Answer ||
			got.F1 != want.F1 || got.Number != want.Number || !bytes.Equal(got.Data, want.Data) {
			t.Fatalf("%+v, want %+v", got, want)
		}
		var read Specifier
		if err := read.Parse(got.Data); err != nil || !bytes.Equal(read.URI, spec.URI) || !bytes.Equal(read.Fields, spec.Fields) ||
			!bytes.Equal(read.Method, spec.Method) || !bytes.Equal(read.Version, spec.Version) {
			t.Fatalf("%v %+v", err, read)
		}
	})
}

func TestOpcodeNames(t *testing.T) {
	if TST.String() != "TST" || CLR.String() != "CLR" || Opcode(9).String() != "HTCP opcode 9" {
		t.Errorf("%v %v %v", TST, CLR, Opcode(9))
	}
}

// Hostile bytes are refused, or are a message that means the same when written again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"000c0001000810020000000a", "000e00000008014000000063" + "0002", "000e0001000842010000004d0002",
		"0018000100141002000000630003474554" + "0001610000" + "0000" + "0002"} {
		b, _ := hex.DecodeString(seed)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, second Message
		if m.Parse(b) != nil {
			return
		}
		var s Specifier
		var d Detail
		_, _ = s.Parse(m.Data), d.Parse(m.Data)
		if len(m.Data) > MaxData {
			return
		}
		again, ok := m.Append(nil)
		if !ok {
			t.Fatalf("%x is not written again", b)
		}
		if err := second.Parse(again); err != nil || second.Opcode != m.Opcode || second.Number != m.Number || !bytes.Equal(second.Data, m.Data) {
			t.Fatalf("%x: %v %+v, first %+v", again, err, second, m)
		}
	})
}
