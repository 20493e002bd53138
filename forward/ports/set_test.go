package ports

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// street is a set on loopback, some of whose ports cannot be had.
type street struct {
	t    *testing.T
	set  *Set
	logs *observer.ObservedLogs
	// busy are addresses that give an error, as another program's would.
	busy     map[string]bool
	accepted chan *Listener
}

// bindError is as tproxy's.
type bindError struct{}

func (bindError) Error() string   { return "taken" }
func (bindError) Unwrap() error   { return syscall.EADDRINUSE }
func (bindError) Descriptor() int { return 12 }

func newStreet(t *testing.T) *street {
	core, logs := observer.New(zap.InfoLevel)
	s := &street{t: t, logs: logs, busy: map[string]bool{}, accepted: make(chan *Listener, 20)}
	s.set = &Set{Log: zap.New(core), Every: time.Hour, Accept: func(l *Listener) { s.accepted <- l }}
	s.set.Open = func(_ context.Context, line *conf.HTTPPort) ([]*net.TCPListener, error) {
		if s.busy[line.Addr.String()] {
			return nil, bindError{}
		}
		l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(line.Addr))
		if err != nil {
			return nil, err
		}
		return []*net.TCPListener{l}, nil
	}
	t.Cleanup(s.set.Close)
	return s
}

// use goes over to the lines of addresses.
func (s *street) use(at ...string) error {
	var lines []*conf.HTTPPort
	for _, a := range at {
		lines = append(lines, &conf.HTTPPort{Addr: netip.MustParseAddrPort(a)})
	}
	err := s.set.Use(context.Background(), lines)
	s.set.Settle()
	return err
}

// listens checks which addresses are listened at, by asking the kernel.
func (s *street) listens(what string, want ...string) {
	s.t.Helper()
	var got []string
	for _, l := range s.set.Listeners() {
		got = append(got, l.Addr().String())
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		s.t.Errorf("%s: listening at %v, want %v", what, got, want)
	}
	for _, at := range got {
		c, err := net.Dial("tcp", at)
		if err != nil {
			s.t.Errorf("%s: %v", what, err)
			continue
		}
		c.Close()
	}
}

// free gives addresses nobody listens at, nor gets by chance: their ports are below those
// the system chooses from.
func free(t *testing.T, n int) (list []string) {
	for range 1000 {
		if len(list) == n {
			return list
		}
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 17000+rand.IntN(1000))); err == nil {
			defer l.Close()
			list = append(list, l.Addr().String())
		}
	}
	t.Fatal("no port is free")
	return nil
}

// A port that cannot be had is named by 2.6's line, ends nothing while another one
// listens, and is served as soon as it can be had.
func TestPortThatCannotBeHad(t *testing.T) {
	s, at := newStreet(t), free(t, 3)
	s.busy[at[1]] = true
	if err := s.use(at[0], at[1]); err != nil {
		t.Fatal(err)
	}
	s.set.Serve()
	s.listens("beside one that is taken", at[0])
	var said []string
	for _, e := range s.logs.TakeAll() {
		said = append(said, report.Line(e.Message, e.Context))
	}
	text := strings.Join(said, "\n")
	for _, want := range []string{
		"commBind: Cannot bind socket FD 12 to " + at[1] + ": (98) Address already in use",
		"WARNING: http_port " + at[1] + " is not served: taken; tried again every 1h0m0s",
		", FD ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	delete(s.busy, at[1])
	s.set.tryAgain()
	s.listens("when it can be had", at[0], at[1])
	if len(s.set.Failures()) != 0 || s.set.retry != nil {
		t.Errorf("%v, still trying: %v", s.set.Failures(), s.set.retry != nil)
	}
	for range 2 {
		<-s.accepted
	}
}

// What comes of other lines: sockets that a line still asks for stay, the others
// are closed once the new lines listen; where no new line does, those of before go on.
func TestOtherLines(t *testing.T) {
	s, at := newStreet(t), free(t, 4)
	_, port, _ := net.SplitHostPort(at[3])
	elsewhere := "127.0.0.2:" + port
	for _, step := range []struct {
		what string
		busy []string
		use  []string
		want []string
	}{
		{"two", nil, at[:2], at[:2]},
		{"one stays, one comes", nil, at[1:3], at[1:3]},
		{"one stays, one is taken", at[:1], at[:2], at[1:2]},
		{"none can be had", []string{at[0], at[3]}, []string{at[0], at[3]}, at[1:2]},
		{"still none", at[:1], at[:1], at[1:2]},
		{"it can again", nil, at[:1], at[:1]},
		{"another port", nil, at[3:], at[3:]},
		{"the same port elsewhere, taken: the old one is opened again", []string{elsewhere}, []string{elsewhere}, at[3:]},
		{"the same port elsewhere", nil, []string{elsewhere}, []string{elsewhere}},
		{"no lines", nil, nil, []string{elsewhere}},
	} {
		clear(s.busy)
		for _, b := range step.busy {
			s.busy[b] = true
		}
		if err := s.use(step.use...); err != nil {
			t.Errorf("%s: %v", step.what, err)
		}
		s.listens(step.what, step.want...)
		if failed := len(s.set.Failures()); failed != len(step.busy) {
			t.Errorf("%s: %d failures, want %d", step.what, failed, len(step.busy))
		}
	}
}

// The wildcard takes the place of an address with the same port, which is in its way.
func TestWildcardInPlaceOfAnAddress(t *testing.T) {
	s, at := newStreet(t), free(t, 1)
	_, port, _ := net.SplitHostPort(at[0])
	wildcard := fmt.Sprintf("0.0.0.0:%s", port)
	for _, step := range []string{at[0], wildcard, at[0]} {
		if err := s.use(step); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range s.set.Listeners() {
			got = append(got, l.Addr().String())
		}
		if len(got) != 1 || got[0] != step {
			t.Errorf("%s: listening at %v (%v)", step, got, s.set.Failures())
		}
	}
}

// With nothing before and nothing to be had there is an error; after Close nothing
// is opened any more.
func TestNothingToListenAt(t *testing.T) {
	s, at := newStreet(t), free(t, 1)
	s.busy[at[0]] = true
	if err := s.use(at[0]); err == nil {
		t.Error("no error")
	}
	s.set.Close()
	clear(s.busy)
	s.set.tryAgain()
	if err := s.use(at[0]); err != nil || len(s.set.Listeners()) != 0 {
		t.Errorf("%v, %d sockets", err, len(s.set.Listeners()))
	}
}
