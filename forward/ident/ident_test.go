package ident

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestParseReply(t *testing.T) {
	for line, want := range map[string]string{
		"6193, 23 : USERID : UNIX : stjohns\r\n":      "stjohns",
		"6193,23:USERID:UNIX,US-ASCII:bob":            "bob",
		"6195, 23 : ERROR : NO-USER\r\n":              "",
		"6193, 23 : USERID : OTHER :  two words \r\n": "two words ",
		"USERID": "", "": "", "USERID:": "", "USERID:\r\n": "", "USERID : a\x00b": "a",
		"USERID:" + strings.Repeat("x", 100): strings.Repeat("x", maxUser),
	} {
		if got := ParseReply([]byte(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func FuzzParseReply(f *testing.F) {
	f.Add([]byte("6193, 23 : USERID : UNIX : stjohns\r\n"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if user := ParseReply(line); len(user) > maxUser || strings.ContainsAny(user, "\r\n\x00") {
			t.Errorf("%q from %q", user, line)
		}
	})
}

func TestAsk(t *testing.T) {
	local, remote := netip.MustParseAddrPort("192.0.2.1:3128"), netip.MustParseAddrPort("192.0.2.2:4321")
	for name, c := range map[string]struct {
		answer string
		want   string
	}{
		"in one piece": {"4321, 3128 : USERID : UNIX : bob\r\n", "bob"},
		"without end":  {"4321, 3128 : USERID : UNIX : bob", "bob"},
		"error":        {"4321, 3128 : ERROR : HIDDEN-USER\r\n", ""},
		"nothing":      {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			asked := make(chan string, 1)
			go func() {
				question, _ := bufio.NewReader(theirs).ReadString('\n')
				asked <- question
				for _, b := range []byte(c.answer) {
					theirs.Write([]byte{b}) // byte by byte
				}
				theirs.Close()
			}()
			user, err := Ask(t.Context(), ours, local, remote)
			if user != c.want || err != nil {
				t.Errorf("%q, %v, want %q", user, err, c.want)
			}
			ours.Close()
			if q := <-asked; q != "4321, 3128\r\n" {
				t.Errorf("asked %q", q)
			}
		})
	}
}

func TestAskIsBounded(t *testing.T) {
	addr := netip.MustParseAddrPort("192.0.2.1:1")
	ours, theirs := net.Pipe()
	go io.Copy(io.Discard, theirs)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := Ask(ctx, ours, addr, addr); err == nil {
		t.Error("waited for a silent server for ever")
	}
	ours.Close()
	theirs.Close()

	ours, theirs = net.Pipe()
	defer ours.Close()
	go func() {
		bufio.NewReader(theirs).ReadString('\n')
		theirs.Write([]byte(strings.Repeat("x", 10*maxReply)))
		theirs.Close()
	}()
	if _, err := Ask(t.Context(), ours, addr, addr); err == nil {
		t.Error("an endless line was taken")
	}
}
