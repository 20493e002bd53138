package forward

import (
	"bufio"
	"fmt"
	"net/netip"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
)

// A programming error ends the connection it happened in and no other, also
// where it happens in the goroutine of an upload.
func TestPanicEndsOneConnection(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	r := start(t, nil)
	for i, fail := range []func(cl *client){
		func(cl *client) {
			defer cl.recover()
			panic("in the connection's goroutine")
		},
		func(cl *client) {
			done := make(chan struct{})
			go func() { // as goroutines of a fetch do
				defer close(done)
				var waiting fetch.Waiting = &transaction{state: state{cl: cl}}
				defer waiting.Recover()
				panic("in a goroutine of a fetch")
			}()
			<-done
		},
	} {
		broken, other := r.dial(), r.dial()
		defer broken.Close()
		defer other.Close()
		var cl *client
		eventually(t, "the connection is known", func() bool {
			r.srv.clients.each(func(c *client) {
				if c.remote.String() == broken.LocalAddr().String() {
					cl = c
				}
			})
			return cl != nil
		})
		fail(cl)
		if _, err := broken.Read(make([]byte, 1)); err == nil {
			t.Error("the connection goes on")
		}
		if n := r.srv.panics.Load(); n != uint64(i+1) {
			t.Errorf("%d panics counted, want %d", n, i+1)
		}
		fmt.Fprintf(other, "GET http://%s/ HTTP/1.0\r\n\r\n", origin)
		if head, err := readHead(bufio.NewReader(other)); err != nil || head[:15] != "HTTP/1.0 200 OK" {
			t.Errorf("another connection: %q, %v", head, err)
		}
	}
}

// Every connection is in the chain once, whatever the order they come and go in.
func TestChainOfClients(t *testing.T) {
	var cs clients
	var all []*client
	for i := range 6 {
		cl := &client{}
		cl.remote = netip.MustParseAddrPort(fmt.Sprintf("10.0.0.%d:1", i/2))
		all = append(all, cl)
		cs.add(cl)
	}
	check := func(want ...int) {
		t.Helper()
		seen := map[*client]bool{}
		cs.each(func(cl *client) { seen[cl] = true })
		if len(seen) != len(want) || cs.Len() != len(want) {
			t.Errorf("%d in the chain, %d counted, want %d", len(seen), cs.Len(), len(want))
		}
		for _, i := range want {
			if !seen[all[i]] {
				t.Errorf("%d is missing", i)
			}
		}
	}
	check(0, 1, 2, 3, 4, 5)
	if n := cs.Established(all[0].remote.Addr()); n != 2 {
		t.Errorf("%d from one address", n)
	}
	for _, step := range []struct {
		gone int
		left []int
	}{{2, []int{0, 1, 3, 4, 5}}, {5, []int{0, 1, 3, 4}}, {0, []int{1, 3, 4}}, {0, []int{1, 3, 4}}, {4, []int{1, 3}}, {3, []int{1}}} {
		cs.remove(all[step.gone])
		check(step.left...)
	}
	select {
	case <-cs.empty():
		t.Error("one is left")
	default:
	}
	none := cs.empty()
	cs.remove(all[1])
	<-none
	<-cs.empty()
	if len(cs.from) != 0 {
		t.Errorf("addresses nobody comes from are remembered: %v", cs.from)
	}
	cs.add(all[1])
	check(1)
}
