package asn

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// registry answers questions from a table; one that is not in it gets no connection.
type registry struct {
	answers map[string]string
	asked   chan string
}

func (r *registry) dial(_ context.Context, server string) (Conn, error) {
	if server == "down.test" {
		return nil, errors.New("no route to host")
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		question, _ := bufio.NewReader(theirs).ReadString('\n')
		question = strings.TrimSuffix(question, "\r\n")
		r.asked <- server + " " + question
		io.WriteString(theirs, r.answers[question])
	}()
	return ours, nil
}

func numbers(t *Table, addrs string) string {
	var got []string
	for a := range strings.FieldsSeq(addrs) {
		got = append(got, fmt.Sprint(t.ASNumbers(netip.MustParseAddr(a))))
	}
	return strings.Join(got, " ")
}

func TestTable(t *testing.T) {
	r := &registry{asked: make(chan string, 10), answers: map[string]string{
		"!gAS1":  "A40\n192.0.2.0/24 198.51.100.0/25\n10.0.0.0/8\nC\n",
		"!gAS2":  "A20\n198.51.100.0/25 10.9.0.0/16\nC\n",
		"!gAS3":  "D\n",
		"!gAS99": "A9\n0.0.0.0/0\nC\n",
	}}
	table := New(r.dial, zap.NewNop())
	if got := numbers(table, "192.0.2.1"); got != "[]" {
		t.Errorf("before any answer: %s", got)
	}
	table.Use("whois.test", []uint32{1, 2, 3})
	table.asking.Wait()
	const addrs = "192.0.2.1 192.0.3.1 198.51.100.1 198.51.100.129 10.1.1.1 10.9.1.1 ::1"
	if got, want := numbers(table, addrs), "[1] [] [1 2] [] [1] [2] []"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	table.Use("whois.test", []uint32{2, 99}) // reconfigured
	table.asking.Wait()
	if got, want := numbers(table, addrs), "[99] [99] [2] [99] [99] [2] []"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	table.Use("whois.test", nil)
	if got := numbers(table, addrs); strings.Trim(got, "[] ") != "" {
		t.Errorf("nothing is wanted any more: %s", got)
	}
	table.Close()
	close(r.asked)
	if got, want := strings.Join(slices.Collect(chanSeq(r.asked)), ", "), "whois.test !gAS1, whois.test !gAS2, whois.test !gAS3, whois.test !gAS2, whois.test !gAS99"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

func chanSeq(c chan string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for s := range c {
			if !yield(s) {
				return
			}
		}
	}
}

// A question that fails is named and put again, and the answer before holds meanwhile.
func TestFailure(t *testing.T) {
	r := &registry{asked: make(chan string, 10), answers: map[string]string{"!gAS1": "A1\n192.0.2.0/24\nC\n"}}
	core, logs := observer.New(zap.InfoLevel)
	var down atomic.Bool
	table := New(func(ctx context.Context, server string) (Conn, error) {
		if down.Load() {
			server = "down.test"
		}
		return r.dial(ctx, server)
	}, zap.New(core))
	var pauses []time.Duration
	table.pause = func(_ context.Context, d time.Duration) bool {
		if pauses = append(pauses, d); len(pauses) == 3 {
			down.Store(false)
		}
		if got := numbers(table, "192.0.2.1"); got != "[1]" {
			t.Errorf("while nothing answers: %s", got)
		}
		return true
	}
	table.Use("whois.test", []uint32{1})
	table.asking.Wait()
	down.Store(true)
	table.Use("whois.test", []uint32{1})
	table.asking.Wait()
	said := logs.Filter(func(e observer.LoggedEntry) bool {
		return report.Line(e.Message, e.Context) == "WARNING: AS 1 whois request failed: no route to host"
	})
	if fmt.Sprint(pauses) != "[1m0s 2m0s 4m0s]" || said.Len() != 3 {
		t.Errorf("paused %v; %v", pauses, logs.All())
	}
}

// A silent server is left at once when the configuration changes or the proxy ends.
func TestClose(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	table := New(func(context.Context, string) (Conn, error) { return ours, nil }, zap.NewNop())
	table.Use("whois.test", []uint32{1})
	bufio.NewReader(theirs).ReadString('\n')
	table.Close()
	table.Close()
}

func TestEndlessReply(t *testing.T) {
	table := New(func(context.Context, string) (Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			bufio.NewReader(theirs).ReadString('\n')
			for block := make([]byte, 1<<20); ; {
				if _, err := theirs.Write(block); err != nil {
					return
				}
			}
		}()
		return ours, nil
	}, zap.NewNop())
	if _, err := table.question(t.Context(), "whois.test", 1); err == nil || !strings.Contains(err.Error(), "larger than 8 MB") {
		t.Error(err)
	}
}

// The table agrees with looking at every network.
func TestTableModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := New(nil, zap.NewNop())
		addr := rapid.Custom(func(t *rapid.T) netip.Addr {
			return netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 3).Draw(t, "b")), 0, byte(rapid.IntRange(0, 7).Draw(t, "d"))})
		})
		for n := range uint32(4) {
			for range rapid.IntRange(0, 3).Draw(t, "networks") {
				p := netip.PrefixFrom(addr.Draw(t, "network"), rapid.SampledFrom([]int{8, 15, 16, 29, 30, 32}).Draw(t, "bits")).Masked()
				table.known[n] = append(table.known[n], p)
			}
		}
		table.build()
		a, bits, want := addr.Draw(t, "addr"), -1, []uint32(nil)
		for n := range uint32(4) {
			for _, p := range table.known[n] {
				if !p.Contains(a) || p.Bits() < bits {
					continue
				}
				if p.Bits() > bits {
					bits, want = p.Bits(), nil
				}
				if !slices.Contains(want, n) {
					want = append(want, n)
				}
			}
		}
		if got := table.ASNumbers(a); !slices.Equal(got, want) {
			t.Fatalf("%s: %v, want %v of %v", a, got, want, table.known)
		}
	})
}

// An answer that was cut off anywhere is none: 10.0.0.0/24 may have become 10.0.0.0/2.
func TestCutReply(t *testing.T) {
	for _, whole := range []string{"A24\n10.0.0.0/24 10.1.0.0/16\nC\n", "A11\n10.0.0.0/24\nC\n", "C\n", "D\n"} {
		end := strings.TrimSpace(whole)
		for n := range whole {
			if list, err := ParseReply([]byte(whole[:n])); (err == nil) != (n >= len(end)) || err != nil && list != nil {
				t.Errorf("%q: %v, %v", whole[:n], list, err)
			}
		}
		if _, err := ParseReply([]byte(whole)); err != nil {
			t.Errorf("%q: %v", whole, err)
		}
	}
}

// What was known stays when the next answer is cut off, and the question is put again.
func TestCutReplyIsAskedAgain(t *testing.T) {
	r := &registry{asked: make(chan string, 10), answers: map[string]string{"!gAS1": "A11\n10.0.0.0/24\nC\n"}}
	table := New(r.dial, zap.NewNop())
	table.Use("whois.test", []uint32{1})
	table.asking.Wait()
	r.answers["!gAS1"] = "A11\n10.0.0.0/2"
	pauses := 0
	table.pause = func(context.Context, time.Duration) bool {
		pauses++
		if got := numbers(table, "10.0.0.1 10.0.1.1"); got != "[1] []" {
			t.Errorf("after half an answer: %s", got)
		}
		r.answers["!gAS1"] = "A11\n10.0.0.0/23\nC\n"
		return true
	}
	table.Use("whois.test", []uint32{1})
	table.asking.Wait()
	if got := numbers(table, "10.0.0.1 10.0.1.1"); got != "[1] [1]" || pauses != 1 {
		t.Errorf("after %d pauses: %s", pauses, got)
	}
}

func FuzzParseReply(f *testing.F) {
	f.Add([]byte("A40\n192.0.2.0/24 198.51.100.0/25\nC\n"))
	f.Add([]byte("A24\n10.0.0.0/24 10.1.0.0/1"))
	f.Add([]byte("D\n"))
	f.Add([]byte("F too many / connections 1.2.3.4/33 ::/0"))
	f.Fuzz(func(t *testing.T, reply []byte) {
		list, err := ParseReply(reply)
		if err != nil && list != nil {
			t.Error("both")
		}
		if words := bytes.Fields(reply); err == nil && !strings.Contains(" C D ", " "+string(words[len(words)-1])+" ") {
			t.Errorf("%q has no end", reply)
		}
		for _, p := range list {
			if !p.IsValid() || !p.Addr().Is4() || p != p.Masked() {
				t.Errorf("%v out of %q", p, reply)
			}
		}
	})
}
