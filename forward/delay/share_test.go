package delay

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
)

// present is the configuration in force.
type present struct{ *Pools }

func (p *present) pools() *Pools { return p.Pools }

// pools makes pools of class 1, each with a rate in octets a second and nothing to begin
// with.
func pools(rates ...int) *Pools {
	cfg := &conf.Config{}
	d := &cfg.Delay
	for _, rate := range rates {
		d.Pools = append(d.Pools, conf.DelayPool{Class: 1, Aggregate: conf.DelayRate{Restore: rate, Max: rate}})
	}
	return New(cfg, make([]acl.List, len(rates)))
}

var somebody = netip.MustParseAddr("10.0.0.1")

// begin begins a share of the first pool.
func begin(ctx context.Context, until time.Time, p *Pools) (*Share, *present) {
	in := &present{p}
	return Begin(ctx, until, Transfer{Present: in.pools, Facts: &acl.Facts{}, Client: somebody}), in
}

// What is paid for goes on exactly when the bucket has it, heads counted in.
func TestSharePays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := begin(context.Background(), time.Time{}, pools(1000))
		defer s.End()
		s.Owe(250)
		for range 3 {
			began := time.Now()
			if n := s.Ask(100); n != 100 {
				t.Fatalf("%d octets", n)
			}
			if s.Pay(250) {
				t.Fatal("there was nothing")
			}
			if err := s.Wait(); err != nil {
				t.Fatal(err)
			}
			took := time.Since(began)
			if first := s.pool.moved == 500; first && took != 500*time.Millisecond || !first && took != 250*time.Millisecond {
				t.Errorf("after %d octets it took %v", s.pool.moved, took)
			}
		}
	})
}

// What ends a wait that would last for ever: the client's end, the transfer's time, Stop,
// and a configuration in which it may go on, at once or at another rate.
func TestEndsOfWaits(t *testing.T) {
	for _, asks := range []bool{true, false} { // it waits before it reads, or before it goes on
		for name, c := range map[string]struct {
			do   func(s *Share, cancel func(), in *present, p *Pools)
			took time.Duration
			err  bool
		}{
			"client": {func(_ *Share, cancel func(), _ *present, _ *Pools) { cancel() }, time.Second, true},
			"time":   {func(*Share, func(), *present, *Pools) {}, time.Hour, true},
			"stop":   {func(s *Share, _ func(), _ *present, _ *Pools) { s.Stop() }, time.Second, true},
			"no pool": {func(_ *Share, _ func(), in *present, p *Pools) {
				in.Pools = pools()
				p.Retire()
			}, time.Second, false},
			"other": {func(_ *Share, _ func(), in *present, p *Pools) {
				in.Pools = pools(100)
				p.Retire()
			}, 3 * time.Second, false},
		} {
			synctest.Test(t, func(t *testing.T) {
				p, began := pools(0), time.Now()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				s, in := begin(ctx, began.Add(time.Hour), p)
				defer s.End()
				go func() {
					time.Sleep(time.Second)
					c.do(s, cancel, in, p)
				}()
				took := c.took
				if asks {
					if n := s.Ask(200); n != 0 {
						t.Fatalf("%d octets of none", n)
					}
					if name == "other" {
						took = time.Second // to ask again
					}
				} else if s.Pay(200) {
					t.Fatal("there was nothing")
				}
				err := s.Wait()
				if got := time.Since(began); (err != nil) != c.err || got != took {
					t.Errorf("%s: after %v, %v", name, got, err)
				}
				if len(p.list[0].waiting) > 0 || p.list[0].waits != 0 {
					t.Errorf("%s: somebody still waits there", name)
				}
				time.Sleep(time.Second)
			})
		}
	}
}

// Who has ended is nowhere counted, and a pool that limits nothing has no shares.
func TestShareEnds(t *testing.T) {
	p := pools(1000)
	s, in := begin(context.Background(), time.Time{}, p)
	if st := p.Status(); st[0].Transfers != 1 {
		t.Errorf("%d transfers", st[0].Transfers)
	}
	s.Pay(5)
	s.End()
	if st := p.Status(); st[0].Transfers != 0 || st[0].Waiting != 0 || len(p.list[0].waiting) > 0 {
		t.Errorf("%+v", st[0])
	}
	in.Pools = pools(-1)
	if off, _ := begin(context.Background(), time.Time{}, in.Pools); off != nil {
		t.Error("a pool that is off slows down")
	}
	var none *Share
	none.End()
}
