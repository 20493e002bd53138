package wccp2

import (
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// TestEveryChangeIsLogged walks through the changes of state an operator looks for
// in cache.log, and counts the line of each: once, however often it is confirmed.
func TestEveryChangeIsLogged(t *testing.T) {
	b := newBench(t, benchConfig())
	expect := func(after, line string) {
		t.Helper()
		if n := b.logged(line); n != 1 {
			t.Errorf("%s: %d times %q in %q", after, n, line, b.lines)
		}
		b.lines = nil
	}
	b.pass(1500 * time.Millisecond)
	b.deliver(b.answer(), "")
	expect("the first answer", "router 10.66.0.101 answers for service dynamic/80, identity 10.66.0.101")
	b.pass(Interval)
	b.members(withOne())
	b.deliver(b.answer(), "")
	expect("another cache", "sees in service dynamic/80: 10.66.0.20 (weight 10000), 10.66.0.30 (weight 10000)")
	b.wait()
	ra := b.got(wire.RedirectAssign)
	if len(ra) != 1 {
		t.Fatal(b.lines)
	}
	expect("the quiet time", "service dynamic/80: assigning 2 caches at 1 routers, assignment 1")
	b.key = ra[0].Assignment.Key
	b.gives(selfAddr, 128)
	for range 3 {
		b.pass(Interval)
		b.deliver(b.answer(), "")
	}
	expect("the buckets", "gives us 128 of 256 buckets of service dynamic/80")
	b.pass(Interval)
	refuse := b.answer()
	refuse.Capabilities = []wire.Capability{wire.Bits(wire.ReturnMethod, wire.MethodL2)}
	b.deliver(refuse, "")
	expect("a refusal", "cannot be used for service dynamic/80: it offers return L2 where wccp2_return_method asks for GRE")
	b.pass(Interval)
	b.deliver(b.answer(), "")
	expect("agreement", "can be used for service dynamic/80 again")
	b.pass(lostAfter)
	expect("silence", "router 10.66.0.101 lost for service dynamic/80, silent for 30 seconds")
	b.pass(Interval)
	b.deliver(b.answer(), "")
	expect("the return", "router 10.66.0.101 answers for service dynamic/80")
}
