package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// content is what the origin serves under a number.
func content(number uint64, size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(number), byte(number >> 8)}), size)
}

func digestOf(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

// segment is the largest segment a socket sends.
func segment(c net.Conn) (size int, err error) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	outer := raw.Control(func(fd uintptr) { size, err = unix.GetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_MAXSEG) })
	if err == nil {
		err = outer
	}
	return size, err
}

type connKey struct{}

// townSegment is 1500 octets less GRE's 28 and the 40 of IP and TCP.
const townSegment = 1432

// tunnelsOf are the devices a router's packets enter the tunnel by.
func tunnelsOf(router *netlab.Node) (names []string) {
	for line := range strings.Lines(router.Must("ip", "-o", "link", "show", "type", "tun")) {
		if words := strings.SplitN(line, ": ", 3); len(words) == 3 {
			names = append(names, words[1])
		}
	}
	return names
}

// Through the router's GRE every byte arrives, both ways, whether its tunnel takes
// packets of 1500 octets and would have them fragmented, or of 1476 and would send
// ICMP. No packet of a connection is ever larger than the tunnel: fragments are
// dropped here, and both ends are told to keep their segments small.
func TestNothingBlackholesThroughGRE(t *testing.T) {
	for _, mtu := range []int{1500, 1476} {
		t.Run(fmt.Sprintf("MTU %d", mtu), func(t *testing.T) {
			t.Parallel() // most of it is waiting for the router's assignment
			throughGRE(t, mtu)
		})
	}
}

func throughGRE(t *testing.T, mtu int) {
	// Half of it each way.
	size, small := int64(10<<20), 300
	if os.Getenv("CUTTLE_FULL") != "" {
		size, small = 50<<20, 2000
	}
	s, router := newTown(t)
	var mu sync.Mutex
	largest := map[string]int{}
	saw := func(who string, c net.Conn) {
		size, err := segment(c)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("%s: %v", who, err)
		}
		largest[who] = max(largest[who], size)
	}
	l, err := s.origin.Listen(":80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			saw("origin", r.Context().Value(connKey{}).(net.Conn))
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			sum, err := digestOf(r.Body)
			number, _ := strconv.ParseUint(r.URL.Query().Get("number"), 10, 64)
			size, _ := strconv.ParseInt(r.URL.Query().Get("size"), 10, 64)
			w.Header().Set("Content-Length", fmt.Sprint(size))
			w.Header().Set("X-Uploaded", fmt.Sprintf("%s %v", sum, err))
			w.Header().Set("X-Seen", host)
			io.Copy(w, content(number, size))
		})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })

	s.configure(townLines)
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.gateway.Must("nft", "add table ip whole; add chain ip whole c { type filter hook prerouting priority -500; }; add rule ip whole c ip frag-off & 0x3fff != 0 counter drop")
	s.join(router)
	for _, device := range tunnelsOf(router) {
		router.Must("ip", "link", "set", device, "mtu", strconv.Itoa(mtu))
	}
	client := &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			c, err := s.client.Dial(ctx, address)
			if err == nil {
				saw("client", c)
			}
			return c, err
		}}}
	fetch := func(number uint64, size, upload int64) error {
		url := fmt.Sprintf("http://%s/?number=%d&size=%d", streetOrigin4, number, size)
		request, err := http.NewRequest("POST", url, content(number+1, upload))
		if err != nil {
			return err
		}
		request.ContentLength = upload
		reply, err := client.Do(request)
		if err != nil {
			return err
		}
		defer reply.Body.Close()
		got, err := digestOf(reply.Body)
		want, _ := digestOf(content(number, size))
		sent, _ := digestOf(content(number+1, upload))
		if err != nil || got != want || reply.Header.Get("X-Uploaded") != sent+" <nil>" || reply.Header.Get("X-Seen") != streetClient4 || reply.Header.Get("X-Cache") == "" {
			return fmt.Errorf("number %d: %d %v, right body %v, headers %v", number, reply.StatusCode, err, got == want, reply.Header)
		}
		return nil
	}
	if err := fetch(1, size, size); err != nil {
		t.Error(err)
	}
	var fetches sync.WaitGroup
	for worker := range 10 {
		fetches.Go(func() {
			for i := range small / 10 {
				if err := fetch(uint64(100+worker*small/10+i), int64(i%20*700), int64(i%20*90)+1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	fetches.Wait()
	for _, who := range []string{"client", "origin"} {
		// Time stamps take 12 octets of each segment.
		if size := largest[who]; size > townSegment || size < townSegment-12 {
			t.Errorf("the %s sends segments of %d octets, want %d", who, size, townSegment)
		}
	}
	if rules := s.gateway.Must("nft", "list", "table", "ip", "whole"); !strings.Contains(rules, "packets 0 ") {
		t.Errorf("fragments came:\n%s", rules)
	}
	if n := s.network().GRE; n == nil || n.Delivered < uint64(size)/townSegment || n.Stranger != 0 {
		t.Errorf("GRE: %+v", n)
	}
	if t.Failed() {
		t.Log(s.read("log/cache.log"))
	}
}
