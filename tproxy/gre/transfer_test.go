package gre_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// content is the object of a number: bytes nobody confuses with another's.
func content(number, size uint64) io.Reader {
	var seed [32]byte
	copy(seed[:], fmt.Sprint(number))
	return io.LimitReader(rand.NewChaCha8(seed), int64(size))
}

func digest(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

// serve answers "NUMBER SIZE UPLOAD" with the digest of the upload and the
// object, after gate, if there is one, lets it. It also checks who asks.
func (w *town) serve(t testing.TB, gate func()) {
	l, err := w.internet.Listen(w.origin("80"))
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(2 * time.Minute))
				in := bufio.NewReader(c)
				var number, size, upload uint64
				if _, err := fmt.Fscanln(in, &number, &size, &upload); err != nil {
					w.fail("origin: request from %v: %v", c.RemoteAddr(), err)
					return
				}
				sum, err := digest(io.LimitReader(in, int64(upload)))
				if err != nil {
					w.fail("origin: upload from %v: %v", c.RemoteAddr(), err)
					return
				}
				if gate != nil {
					gate()
				}
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				fmt.Fprintf(c, "%s %s\n", host, sum)
				io.Copy(c, content(number, size))
			})
		}
	})
	t.Cleanup(func() { l.Close(); open.Wait() })
}

// fetch asks as one of the clients and checks every byte of both directions.
func (w *town) fetch(client string, number, size, upload uint64) error {
	c, err := w.clients.DialFrom(context.Background(), client, w.origin("80"))
	if err != nil {
		return err
	}
	return fetchOn(c, client, number, size, upload)
}

func fetchOn(c net.Conn, client string, number, size, upload uint64) error {
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	if _, err := fmt.Fprintln(c, number, size, upload); err != nil {
		return err
	}
	if _, err := io.Copy(c, content(number+1, upload)); err != nil {
		return err
	}
	in := bufio.NewReader(c)
	var seen, gotUpload string
	if _, err := fmt.Fscanln(in, &seen, &gotUpload); err != nil {
		return fmt.Errorf("answer's first line: %w", err)
	}
	got, err := digest(in)
	if err != nil {
		return err
	}
	wantUpload, _ := digest(content(number+1, upload))
	want, _ := digest(content(number, size))
	switch {
	case seen != client:
		return fmt.Errorf("the origin saw %s, not %s", seen, client)
	case gotUpload != wantUpload:
		return fmt.Errorf("upload of %d octets arrived changed", upload)
	case got != want:
		return fmt.Errorf("object %d of %d octets arrived changed", number, size)
	}
	return nil
}

// 100 MB each way and 2,000 small fetches arrive as they were, whether the outer
// packets are fragmented (1500), ICMP makes the inner ones smaller (1476), or the
// cache's segment size keeps them small from the start.
func TestTransfersThroughGREAreIntact(t *testing.T) {
	for _, o := range []townOptions{
		{tunnelMTU: 1500, clamp: true}, {tunnelMTU: 1500}, {tunnelMTU: 1476, clamp: true}, {tunnelMTU: 1476},
		{tunnelMTU: 1500, clamp: true, v6: true}, {tunnelMTU: 1476, v6: true},
	} {
		t.Run(fmt.Sprintf("MTU %d, clamped %v, IPv6 %v", o.tunnelMTU, o.clamp, o.v6), func(t *testing.T) {
			w := newTown(t, o)
			w.serve(t, nil)
			size, small := uint64(100<<20), 2000
			if !o.clamp || o.v6 || testing.Short() {
				size, small = 5<<20, 100 // the same ways, made to hurt less
			}
			if err := w.fetch(w.client(0), 1, size, 0); err != nil {
				t.Errorf("down: %v", err)
			}
			if err := w.fetch(w.client(1), 2, 0, size); err != nil {
				t.Errorf("up: %v", err)
			}
			var hands sync.WaitGroup
			for hand := range 8 {
				hands.Go(func() {
					for n := hand; n < small; n += 8 {
						if err := w.fetch(w.client(n%clientCount), uint64(n), uint64(n), uint64(n%700)); err != nil {
							t.Errorf("fetch %d: %v", n, err)
							return
						}
					}
				})
			}
			hands.Wait()
			counts := w.receiver.Counts()
			if met := w.failures(); met != "" || counts.Lost+counts.Refused+counts.Malformed+counts.Own > 0 {
				t.Errorf("%s\n%+v", met, counts)
			}
		})
	}
}

// 5,000 connections of 50 clients are open at the same time: the origin answers
// none before it has been asked by all. The clients are a process of their own,
// since each connection takes three more descriptors here.
func TestFiveThousandConnectionsAtOnce(t *testing.T) {
	w := newTown(t, townOptions{tunnelMTU: 1500, clamp: true, back: true})
	gate := make(chan struct{})
	open := sync.OnceFunc(func() { close(gate) })
	var asked atomic.Int32
	w.serve(t, func() {
		if asked.Add(1) == connections {
			open()
		}
		<-gate
	})
	crowd := exec.Command(os.Args[0], "-test.run=^TestCrowd$", "-test.v")
	crowd.Env = append(os.Environ(), crowdVariable+"=1")
	var said strings.Builder
	crowd.Stdout, crowd.Stderr = &said, &said
	p, err := w.clients.Start(crowd)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	open() // for those that would wait for the rest in vain
	if p.Err() != nil || !strings.Contains(said.String(), "PASS: TestCrowd") {
		t.Errorf("%v: %s", p.Err(), said.String())
	}
	if met := w.failures(); met != "" {
		t.Error(met)
	}
	t.Logf("%+v %+v", w.receiver.Counts(), w.dialer.Counts())
}

const (
	connections   = 5000
	crowdVariable = "CUTTLE_TEST_CROWD"
)

// TestCrowd is the clients' process of TestFiveThousandConnectionsAtOnce.
func TestCrowd(t *testing.T) {
	if os.Getenv(crowdVariable) == "" {
		return
	}
	// A crowd, not one instant: no queue of the kernel's holds 5,000 SYNs.
	connecting := make(chan struct{}, 100)
	var fetches sync.WaitGroup
	for n := range connections {
		connecting <- struct{}{}
		fetches.Go(func() {
			client := clientAddr(n % clientCount)
			dialer := net.Dialer{Timeout: time.Minute, LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}
			c, err := dialer.Dial("tcp4", originAddr+":80")
			<-connecting
			if err == nil {
				err = fetchOn(c, client, uint64(n), 2000, 10)
			}
			if err != nil {
				t.Errorf("fetch %d: %v", n, err)
			}
		})
	}
	fetches.Wait()
}

// What the rules do not take (another port) goes back to the router by GRE and
// reaches its destination.
func TestPacketsNotOursReachTheirDestinationThroughTheRouter(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		t.Run(fmt.Sprintf("IPv6 %v", v6), func(t *testing.T) { givenBack(t, v6) })
	}
}

func givenBack(t *testing.T, v6 bool) {
	w := newTown(t, townOptions{tunnelMTU: 1500, clamp: true, back: true, v6: v6})
	for _, family := range []string{"-4", "-6"} {
		w.router.Must("ip", family, "rule", "add", "iif", "lan0", "ipproto", "tcp", "dport", "81", "lookup", "7")
	}
	l, err := w.internet.Listen(w.origin("81"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	c, err := w.clients.Dial(context.Background(), w.origin("81"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() { io.Copy(c, content(1, 300000)); c.(*net.TCPConn).CloseWrite() }()
	got, err := digest(c)
	want, _ := digest(content(1, 300000))
	if err != nil || got != want {
		t.Errorf("echo: %v", err)
	}
	if n := w.receiver.Counts(); n.Returned == 0 || n.Unknown+n.Unsent > 0 {
		t.Errorf("%+v", n)
	}
}
