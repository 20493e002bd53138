package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// visit is one fetch of the steady traffic.
type visit struct {
	at    time.Time
	end   time.Time
	cache string // its name, "" when no cache marked the answer
	err   error
}

// traffic is a subscriber who fetches one page after the other, each on a connection
// of its own, until told to stop.
type traffic struct {
	who    subscriber
	client *http.Client
	origin netip.Addr

	stop context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	visits []visit
}

// pace is the pause between two fetches; it bounds the load of a test, nothing waits for it.
const pace = 50 * time.Millisecond

func newTraffic(who subscriber) *traffic {
	dial := func(ctx context.Context, _, address string) (net.Conn, error) { return who.node.Dial(ctx, address) }
	return &traffic{
		who: who, origin: names["www.example.net."][0],
		client: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}, Timeout: 10 * time.Second},
	}
}

func startTraffic(who subscriber) *traffic {
	t := newTraffic(who)
	ctx, cancel := context.WithCancel(context.Background())
	t.stop = cancel
	t.done.Go(func() {
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for ctx.Err() == nil {
			t.visit()
			<-tick.C
		}
	})
	return t
}

// visit fetches once, and checks that the origin saw the subscriber.
func (t *traffic) visit() visit {
	v := visit{at: time.Now()}
	v.cache, v.err = t.fetch()
	v.end = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.visits = append(t.visits, v)
	return v
}

func (t *traffic) fetch() (cache string, err error) {
	request, err := http.NewRequest("GET", fmt.Sprintf("http://%v/visit", t.origin), nil)
	if err != nil {
		return "", err
	}
	request.Host = "www.example.net"
	response, err := t.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != 200 {
		return "", fmt.Errorf("answer %s", response.Status)
	}
	var said testimony
	if err := said.read(string(body)); err != nil {
		return "", err
	}
	if said.Saw.Addr() != t.who.address {
		return "", fmt.Errorf("the origin saw %v", said.Saw)
	}
	_, cache, _ = strings.Cut(response.Header.Get("X-Cache"), " from ")
	return cache, nil
}

// end stops the traffic and gives all visits.
func (t *traffic) end() []visit {
	t.stop()
	t.done.Wait()
	return t.visits
}

// brokenOff reports whether the visit was under way when buckets moved: its next
// packets reached a cache, or an origin, that knew nothing of it.
func (v visit) brokenOff(moves []time.Time) bool {
	for _, at := range moves {
		if !v.at.After(at) && !v.end.Before(at) {
			return true
		}
	}
	return false
}

// failures lists those visits that failed.
func failures(visits []visit) []visit {
	var failed []visit
	for _, v := range visits {
		if v.err != nil {
			failed = append(failed, v)
		}
	}
	return failed
}
