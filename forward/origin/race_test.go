package origin

import (
	"context"
	"errors"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Of several addresses the first that answers is used, in whatever way the others fail
// to; nobody waits for one that is silent.
func TestOpenFirst(t *testing.T) {
	refused := errors.New("refused")
	for _, c := range []struct {
		name string
		ways string // what each address does: s silent, r refuses, o open
		took int    // -1 for none
		told []int
	}{
		{"first", "oo", 0, nil},
		{"refused", "ro", 1, []int{0}},
		{"silent", "so", 1, nil},
		{"silent, refused", "srso", 3, []int{1}},
		{"all refuse", "rrr", -1, []int{0, 1, 2}},
	} {
		b := newBench(t, PoolOptions{})
		var keys []Key
		for i := range c.ways {
			k := b.key
			k.To = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 9, 9, byte(i)}), 1)
			keys = append(keys, k)
		}
		plain := b.dialer.Dial
		var asked sync.WaitGroup
		b.dialer.Dial = func(ctx context.Context, k Key, ports Wishes) (sock.Socket, error) {
			asked.Add(1)
			defer asked.Done()
			switch c.ways[k.To.Addr().As4()[3]] {
			case 's':
				<-ctx.Done()
				return nil, ctx.Err()
			case 'r':
				return nil, refused
			}
			return plain(ctx, b.key, ports)
		}
		stagger := time.Hour // nobody is silent
		if strings.Contains(c.ways, "s") {
			stagger = time.Millisecond
		}
		var told []int
		conn, err := b.dialer.OpenFirst(t.Context(), keys, Wishes{}, time.Minute, stagger, time.Now().Add(time.Hour), 0, func(a Attempt) {
			told = append(told, int(a.Key.To.Addr().As4()[3]))
		})
		took := -1
		if err == nil {
			took = int(conn.Key.To.Addr().As4()[3])
			conn.Close()
		} else if !errors.Is(err, refused) {
			t.Errorf("%s: %v", c.name, err)
		}
		slices.Sort(told)
		if took != c.took || !slices.Equal(told, c.told) {
			t.Errorf("%s: took %d, told of %v", c.name, took, told)
		}
		asked.Wait() // those that were silent have ended
	}
}

// The end of the one who waits ends them all.
func TestOpenFirstEnds(t *testing.T) {
	b := newBench(t, PoolOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	b.dialer.Dial = func(ctx context.Context, _ Key, _ Wishes) (sock.Socket, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if _, err := b.dialer.OpenFirst(ctx, []Key{b.key, b.key}, Wishes{}, time.Minute, time.Hour, time.Now().Add(time.Hour), 0, func(Attempt) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// None is tried beside itself, only again after it has failed.
func TestOpenFirstAgain(t *testing.T) {
	b := newBench(t, PoolOptions{})
	refused := errors.New("refused")
	other := b.key
	other.To = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 9, 9, 1}), 1)
	var now, first atomic.Int32
	otherEnded := make(chan bool)
	b.dialer.Dial = func(_ context.Context, k Key, _ Wishes) (sock.Socket, error) {
		if k == other {
			close(otherEnded)
			return nil, refused
		}
		if now.Add(1) > 1 {
			t.Error("tried beside itself")
		}
		defer now.Add(-1)
		if first.Add(1) == 1 {
			<-otherEnded
			time.Sleep(20 * time.Millisecond) // time to do it wrong in
		}
		return nil, refused
	}
	told := 0
	_, err := b.dialer.OpenFirst(t.Context(), []Key{b.key, other, b.key}, Wishes{}, time.Minute, time.Millisecond, time.Now().Add(time.Hour), 0, func(Attempt) { told++ })
	if !errors.Is(err, refused) || told != 3 || first.Load() != 2 {
		t.Errorf("%v, told of %d, %d tries of the first", err, told, first.Load())
	}
}

// After giveUp no other is tried.
func TestOpenFirstGivesUp(t *testing.T) {
	b := newBench(t, PoolOptions{})
	refused := errors.New("refused")
	b.dialer.Dial = func(context.Context, Key, Wishes) (sock.Socket, error) { return nil, refused }
	told := 0
	_, err := b.dialer.OpenFirst(t.Context(), []Key{b.key, b.key}, Wishes{}, time.Minute, time.Hour, time.Now(), 0, func(Attempt) { told++ })
	if !errors.Is(err, refused) || told != 1 {
		t.Errorf("%v, told of %d", err, told)
	}
}
