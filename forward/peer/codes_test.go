package peer

import (
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
	"github.com/cuttle-proxy/cuttle/forward/peer/netdb"
)

// Every hierarchy code that 2.6 gives, and with TIMEOUT_ in front where a neighbour that
// is waited for stays silent. (SINGLE_PARENT and NO_DIRECT_FAIL it has names for and never
// gives, SOURCE_FASTEST needs a build of its own.)
func TestEveryCode(t *testing.T) {
	silent, miss := scripted{silent: true}, scripted{delay: time.Millisecond, answer: answer{what: icp.Miss}}
	hit := scripted{delay: time.Millisecond, answer: answer{what: icp.Hit}}
	near := scripted{delay: time.Millisecond, answer: answer{what: icp.Miss, rtt: 20}}
	const parent, quiet, never = "cache_peer one.test parent 1 %s no-netdb-exchange", "cache_peer mute.test sibling 1 3130 no-digest no-netdb-exchange\n", "\nnever_direct allow all"
	option := func(options string) string { return strings.Replace(parent, "%s", "0 no-query no-digest "+options, 1) }
	asked := strings.Replace(parent, "%s", "3130 no-digest", 1) + "\n"
	covered := map[string]bool{}
	for _, c := range []struct {
		want   string // the first hop
		lines  string
		script map[string]scripted
		set    func(*rig)
	}{
		{"DIRECT", "", nil, nil},
		{"TIMEOUT_DIRECT", quiet, nil, nil},
		{"SIBLING_HIT/mute.test", quiet, map[string]scripted{"mute.test": hit}, nil},
		{"PARENT_HIT/one.test", asked, map[string]scripted{"one.test": hit}, nil},
		{"FIRST_PARENT_MISS/one.test", asked, map[string]scripted{"one.test": miss}, nil},
		{"TIMEOUT_FIRST_PARENT_MISS/one.test", asked + quiet, map[string]scripted{"one.test": miss}, nil},
		{"CLOSEST_PARENT_MISS/one.test", asked + "query_icmp on", map[string]scripted{"one.test": near}, nil},
		{"TIMEOUT_CLOSEST_PARENT_MISS/one.test", asked + quiet + "query_icmp on", map[string]scripted{"one.test": near}, nil},
		{"FIRST_UP_PARENT/one.test", option(""), nil, nil},
		{"TIMEOUT_FIRST_UP_PARENT/one.test", asked, nil, nil},
		{"DEFAULT_PARENT/one.test", option("default"), nil, nil},
		{"TIMEOUT_DEFAULT_PARENT/one.test", quiet + option("default"), nil, nil},
		{"ROUNDROBIN_PARENT/one.test", option("round-robin"), nil, nil},
		{"TIMEOUT_ROUNDROBIN_PARENT/one.test", quiet + option("round-robin"), nil, nil},
		{"CARP/one.test", option("carp"), nil, nil},
		{"TIMEOUT_CARP/one.test", quiet + option("carp"), nil, nil},
		{"SOURCEHASH_PARENT/one.test", option("sourcehash"), nil, nil},
		{"TIMEOUT_SOURCEHASH_PARENT/one.test", quiet + option("sourcehash"), nil, nil},
		{"USERHASH_PARENT/one.test", option("userhash"), nil, nil},
		{"TIMEOUT_USERHASH_PARENT/one.test", quiet + option("userhash"), nil, nil},
		{"… ANY_PARENT/one.test", option("") + never, nil, nil},
		{"… TIMEOUT_ANY_PARENT/one.test", asked + never, nil, nil},
		{"CD_PARENT_HIT/one.test", "cache_peer one.test parent 1 0 no-query no-netdb-exchange", nil, digested},
		{"CD_SIBLING_HIT/one.test", "cache_peer one.test sibling 1 0 no-query no-netdb-exchange", nil, digested},
		{"CLOSEST_PARENT/one.test", "cache_peer one.test parent 1 0 no-query no-digest", nil, func(r *rig) {
			r.env.Ways.Measured(here.At(0), 900*time.Millisecond, 9, time.Unix(1e9, 0))
			r.env.Ways.LearnHost("one.test", "o.test", 5, 1, time.Unix(1e9, 0))
		}},
		{"CLOSEST_DIRECT", asked + "query_icmp on", map[string]scripted{"one.test": {delay: time.Millisecond, answer: answer{what: icp.Miss, rtt: 5000}}}, func(r *rig) {
			r.env.Ways.Measured(here.At(0), 900*time.Millisecond, 9, time.Unix(1e9, 0))
		}},
		{"TIMEOUT_CLOSEST_DIRECT", asked + quiet + "query_icmp on", map[string]scripted{"one.test": {delay: time.Millisecond, answer: answer{what: icp.Miss, rtt: 5000}}}, func(r *rig) {
			r.env.Ways.Measured(here.At(0), 900*time.Millisecond, 9, time.Unix(1e9, 0))
		}},
	} {
		r := load(t, "icp_query_timeout 100\n"+c.lines)
		v := &virtual{now: time.Unix(1e9, 0), script: func(p *Peer) scripted {
			if s, ok := c.script[p.Name]; ok {
				return s
			}
			return silent
		}}
		r.env.Talk, r.env.Now, r.env.Ways = v, func() time.Time { return v.now }, netdb.New(900, 1000)
		r.env.Ways.Name("o.test", here.At(0), v.now)
		if c.set != nil {
			c.set(r)
		}
		q := question(t, "GET", "http://o.test/", "")
		q.Facts.Told = &acl.Told{AuthUser: "ada"}
		hops, _ := r.Select(t.Context(), q, nil)
		got := words(hops)
		if last, ok := strings.CutPrefix(c.want, "… "); ok {
			if !strings.HasSuffix(got, " "+last) {
				t.Errorf("%s: %s", c.want, got)
			}
		} else if first, _, _ := strings.Cut(got, " "); first != c.want {
			t.Errorf("%s: %s", c.want, got)
		}
		for _, h := range hops {
			covered[h.Code] = true
		}
	}
	for code, late := range timedOut {
		// By a digest, by measurements, and with a hit, nobody is waited for in vain.
		never := code == DigestParentHit || code == DigestSiblingHit || code == ClosestParent || code == SiblingHit || code == ParentHit
		if !covered[code] || covered[late] == never {
			t.Errorf("%s %v, %s %v", code, covered[code], late, covered[late])
		}
	}
}

// digested gives the first peer a digest that has everything.
func digested(r *rig) {
	r.env.Getter = nowhere{}
	p := r.list[0]
	p.remote.wanted.Store(true)
	d := digest.New(1, 5)
	d.Add(objectKey([]byte("http://o.test/")))
	p.remote.got.Store(d)
}

// nowhere is a Getter that is not asked.
type nowhere struct{ Getter }
