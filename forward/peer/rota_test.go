package peer

import (
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A parent that is back takes its turn like the others and does not catch up with what
// they had meanwhile; nor does one that was given less for any other reason for longer
// than five minutes.
func TestTurnsBeginAnew(t *testing.T) {
	r := load(t, "cache_peer a.test parent 1 0 no-query round-robin\ncache_peer b.test parent 1 0 no-query round-robin\nnever_direct allow all\n")
	now := time.Unix(1e9, 0)
	r.env.Now = func() time.Time { return now }
	turns := func(n int) (list string) {
		for range n {
			list += strings.TrimPrefix(strings.Fields(r.choice(t, "GET", "http://o.test/", ""))[0], "ROUNDROBIN_PARENT/")[:1]
		}
		return list
	}
	if got := turns(4); got != "baba" {
		t.Errorf("at first %s", got)
	}
	b := r.list[1]
	for range downAfter {
		b.Failed()
	}
	b.probed.Store(1 << 62) // none is tried
	if got := turns(9); got != "aaaaaaaaa" {
		t.Errorf("alone %s", got)
	}
	b.Answered()
	if got := turns(4); got != "baba" {
		t.Errorf("when it is back %s", got)
	}
	b.unwell.Store(true)
	turns(9)
	b.unwell.Store(false)
	if got := turns(4); got != "bbbb" {
		t.Errorf("behind %s", got)
	}
	now = now.Add(rotaPeriod)
	if got := turns(4); got != "baba" {
		t.Errorf("five minutes later %s", got)
	}
}

// What a digest has is what GET gives: no other request goes where it points, not even
// one that must go to a parent. Of two digests that have the object it is in turn.
func TestDigestsAreOfGET(t *testing.T) {
	r := load(t, "cache_peer one.test parent 3128 0 no-query no-netdb-exchange\ncache_peer two.test parent 3128 0 no-query no-netdb-exchange\nnever_direct allow all\n")
	r.env.Getter = nowhere{}
	for _, p := range r.list {
		p.remote.wanted.Store(true)
		p.remote.got.Store(digestOf("http://o.test/in"))
	}
	for method, want := range map[string]string{
		"GET": "CD_PARENT_HIT/one.test", "POST": "FIRST_UP_PARENT/one.test", "HEAD": "FIRST_UP_PARENT/one.test",
	} {
		if got := r.choice(t, method, "http://o.test/in", ""); strings.Fields(got)[0] != want {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
	}
	r.env.starts.Add(1)
	if got := r.choice(t, "GET", "http://o.test/in", ""); strings.Fields(got)[0] != "CD_PARENT_HIT/two.test" {
		t.Errorf("after a round of questions: %s", got)
	}
}

// Each failed connection to a peer is told by the line that 2.6 has for it.
func TestFailedConnectionsAreTold(t *testing.T) {
	core, said := observer.New(zap.InfoLevel)
	r := load(t, "cache_peer a.test parent 81 0 no-query name=other\n")
	r.env.Log = zap.New(core)
	p := r.list[0]
	for range downAfter {
		p.Failed()
	}
	if n := said.FilterMessage("TCP connection to {peer}/{port} failed").FilterField(zap.String("peer", "a.test")).Len(); n != downAfter {
		t.Errorf("told %d times", n)
	}
	if all := said.All(); all[len(all)-1].Message != "Detected DEAD Parent: {peer}" {
		t.Errorf("at the end %q", all[len(all)-1].Message)
	}
}

func digestOf(url string) *digest.Digest {
	d := digest.New(10, 5)
	d.Add(objectKey([]byte(url)))
	return d
}
