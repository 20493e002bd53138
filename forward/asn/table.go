package asn

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/gaissmai/bart"
	"go.uber.org/zap"
)

// Bounds of one question: registries know autonomous systems of some 20,000 networks.
const (
	maxReply = 8 << 20 // bytes
	patience = 60 * time.Second
	// A question that failed is put again after firstPause, twice as long each time.
	firstPause = time.Minute
	lastPause  = time.Hour
)

// Table is the networks of autonomous systems. The zero value is not ready; see New.
type Table struct {
	dial func(ctx context.Context, server string) (Conn, error)
	log  *zap.Logger
	// pause waits, or reports that ctx ended.
	pause func(ctx context.Context, d time.Duration) bool

	networks atomic.Pointer[bart.Table[[]uint32]]

	mu     sync.Mutex
	stop   context.CancelFunc // of the asking under way
	asking sync.WaitGroup
	// known is the networks of each number, touched by the asking under way only.
	known map[uint32][]netip.Prefix
}

// Conn is what a question takes of a connection to a whois server.
type Conn interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

// New makes an empty table. dial connects to a whois server by its name.
func New(dial func(ctx context.Context, server string) (Conn, error), log *zap.Logger) *Table {
	return &Table{dial: dial, log: log, pause: pause, known: map[uint32][]netip.Prefix{}}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ASNumbers gives the systems that announce the most specific known network around
// an address. The list must not be changed.
func (t *Table) ASNumbers(addr netip.Addr) []uint32 {
	networks := t.networks.Load()
	if networks == nil {
		return nil
	}
	list, _ := networks.Lookup(addr)
	return list
}

// Use begins to ask a server about the numbers; it does not wait. What was asked
// before is given up, and what is known of other numbers forgotten.
func (t *Table) Use(server string, numbers []uint32) {
	t.Close()
	if len(numbers) == 0 {
		t.networks.Store(nil)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	t.mu.Lock()
	t.stop = stop
	t.mu.Unlock()
	t.asking.Go(func() { t.ask(ctx, server, slices.Clone(numbers)) })
}

// Close gives up the questions under way. What is known stays.
func (t *Table) Close() {
	t.mu.Lock()
	stop := t.stop
	t.stop = nil
	t.mu.Unlock()
	if stop != nil {
		stop()
	}
	t.asking.Wait()
}

// ask asks about each number until there is an answer.
func (t *Table) ask(ctx context.Context, server string, numbers []uint32) {
	maps.DeleteFunc(t.known, func(n uint32, _ []netip.Prefix) bool { return !slices.Contains(numbers, n) })
	for wait := firstPause; ; wait = min(2*wait, lastPause) {
		var failed []uint32
		for _, n := range numbers {
			networks, err := t.question(ctx, server, n)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				t.log.Warn("WARNING: AS {number} whois request failed: {error}", zap.Uint32("number", n), report.Error(err))
				failed = append(failed, n)
				continue
			}
			t.known[n] = networks
			if len(numbers) <= eachAtOnce {
				t.build()
			}
		}
		t.build()
		if numbers = failed; len(failed) == 0 || !t.pause(ctx, wait) {
			return
		}
	}
}

// eachAtOnce is up to how many numbers the table is made anew with every answer.
const eachAtOnce = 32

// build makes the table out of what is known.
func (t *Table) build() {
	networks := new(bart.Table[[]uint32])
	for _, n := range slices.Sorted(maps.Keys(t.known)) {
		for _, p := range t.known[n] {
			list, _ := networks.Get(p)
			if !slices.Contains(list, n) {
				networks.Insert(p, append(slices.Clip(list), n))
			}
		}
	}
	t.networks.Store(networks)
}

// question asks for the networks of one number.
func (t *Table) question(ctx context.Context, server string, number uint32) ([]netip.Prefix, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := t.dial(ctx, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := fmt.Fprintf(conn, "!gAS%d\r\n", number); err != nil {
		return nil, err
	}
	reply, err := io.ReadAll(io.LimitReader(conn, maxReply+1))
	switch {
	case err != nil:
		return nil, err
	case len(reply) > maxReply:
		return nil, fmt.Errorf("the answer is larger than %d MB", maxReply>>20)
	}
	return ParseReply(reply)
}
