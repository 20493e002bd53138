package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// underway is a fetch that is begun, and finished when other things have happened.
type underway struct {
	who  subscriber
	conn net.Conn
	page *http.Response
	said testimony
	body *bufio.Reader
}

// underwaySize is far more than what both ends and a cache between them hold in
// their buffers together.
const underwaySize = 24 << 20

// begin sends the request and reads the first line of the page.
func begin(who subscriber) (*underway, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := who.node.Dial(ctx, net.JoinHostPort(names["www.example.net."][0].String(), "80"))
	if err != nil {
		return nil, err
	}
	u := &underway{who: who, conn: conn}
	if err := u.ask(); err != nil {
		conn.Close()
		return nil, err
	}
	return u, nil
}

func (u *underway) ask() error {
	if err := u.conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		return err
	}
	u.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := fmt.Fprintf(u.conn, "GET /underway/%d HTTP/1.0\r\nHost: www.example.net\r\n\r\n", underwaySize); err != nil {
		return err
	}
	page, err := http.ReadResponse(bufio.NewReader(u.conn), nil)
	if err != nil {
		return err
	}
	u.page, u.body = page, bufio.NewReader(page.Body)
	line, err := u.body.ReadString('\n')
	if err != nil {
		return err
	}
	return u.said.read(line)
}

// cache is what answered, "" for the origin itself.
func (u *underway) cache() string {
	_, cache, _ := strings.Cut(u.page.Header.Get("X-Cache"), " from ")
	return cache
}

// finish reads the rest, all of which has to be there.
func (u *underway) finish() error {
	defer u.conn.Close()
	u.conn.SetDeadline(time.Now().Add(60 * time.Second))
	octets := 0
	for block := make([]byte, 64<<10); ; {
		n, err := u.body.Read(block)
		octets += n
		if strings.Trim(string(block[:n]), "x") != "" {
			return fmt.Errorf("wrong octets before octet %d", octets)
		}
		if errors.Is(err, io.EOF) && octets == underwaySize {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d of %d octets: %w", octets, underwaySize, err)
		}
	}
}

// beginAll begins a fetch for each subscriber while no cache has joined yet.
func beginAll(t *testing.T, s *stage) (all []*underway) {
	t.Helper()
	for _, who := range []subscriber{s.network.adsl, s.network.dialup} {
		u, err := begin(who)
		if err != nil {
			t.Fatalf("%s: %v", who.name, err)
		}
		t.Cleanup(func() { u.conn.Close() })
		if u.cache() != "" {
			t.Fatalf("%s is served by %s already", who.name, u.cache())
		}
		all = append(all, u)
	}
	return all
}

// beginBy begins a fetch that a certain cache serves.
func beginBy(t *testing.T, who subscriber, c *cache) *underway {
	t.Helper()
	u, err := begin(who)
	if err != nil {
		t.Fatalf("%s: %v", who.name, err)
	}
	t.Cleanup(func() { u.conn.Close() })
	if u.cache() != visibleHostname(c.address) {
		t.Fatalf("%s is served by %q, want %q", who.name, u.cache(), visibleHostname(c.address))
	}
	return u
}

// finishAll finishes fetches that no change of buckets may hurt: those that went
// past the caches, whatever joined, left or took buckets over meanwhile and handed
// packets of theirs back, and those by way of a cache that kept its bucket.
func finishAll(t *testing.T, all []*underway) {
	t.Helper()
	for _, u := range all {
		if err := u.finish(); err != nil {
			t.Errorf("%s, by way of %q: %v", u.who.name, u.cache(), err)
		}
	}
}

// endsAtOnce holds a fetch by way of a cache that lost its bucket to what is left
// for it: the origin knows nothing of the subscriber's half, and says so.
func endsAtOnce(t *testing.T, u *underway) {
	t.Helper()
	if err := u.finish(); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%s, by way of a cache that has lost the bucket: %v, want a reset", u.who.name, err)
	}
}
