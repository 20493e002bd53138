package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	crowdConnections = 5000
	crowdClients     = 50
	crowdVariable    = "CUTTLE_TEST_CROWD"
)

// crowdAddr is the address of a client, of either family in turn.
func crowdAddr(n int) string {
	if n %= crowdClients; n%2 == 1 {
		return fmt.Sprintf("fd01::1:%d", n+1)
	}
	return fmt.Sprintf("10.1.%d.2", n+1)
}

// crowdOrigin is the address that client goes to.
func crowdOrigin(n int) string { return []string{streetOrigin4, "[" + streetOrigin6 + "]"}[n%2] }

// 5,000 intercepted connections of 50 clients, half of them by IPv6, are open at the same time: the
// origin answers none before it was asked by all, each in its client's name.
func TestCrowdOfInterceptedClients(t *testing.T) {
	s := newStreet(t)
	for n := range crowdClients {
		s.client.Addr("eth0", crowdAddr(n)+[]string{"/16", "/64"}[n%2])
	}
	s.configure("http_port 3129 transparent tproxy\nserver_persistent_connections off\nclient_persistent_connections off\n")
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	gate := make(chan struct{})
	var asked atomic.Int32
	l, err := s.origin.Listen(":81")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == crowdConnections {
			close(gate)
		}
		select {
		case <-gate:
		case <-r.Context().Done():
		}
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprint(w, host)
	})}
	go server.Serve(l)
	defer server.Close()
	// The crowd's origin listens beside the other one: port 80 is what is taken.
	s.origin.Must("nft", "add table inet t; add chain inet t c { type nat hook prerouting priority dstnat; }; add rule inet t c tcp dport 80 redirect to :81")
	s.start("3129")

	crowd := exec.Command(os.Args[0], "-test.run=^TestCrowdOfClients$", "-test.v")
	crowd.Env = append(os.Environ(), crowdVariable+"=1")
	var said strings.Builder
	crowd.Stdout, crowd.Stderr = &said, &said
	p, err := s.client.Start(crowd)
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.Err() != nil || !strings.Contains(said.String(), "PASS: TestCrowdOfClients") {
		t.Errorf("%v: %.4000s\ncache.log:\n%.4000s", p.Err(), said.String(), s.read("log/cache.log"))
	}
}

// TestCrowdOfClients is the process of the clients; alone it does nothing.
func TestCrowdOfClients(t *testing.T) {
	if os.Getenv(crowdVariable) == "" {
		return
	}
	connecting := make(chan struct{}, 100) // no queue of the kernel's holds 5,000 SYNs
	var fetches sync.WaitGroup
	for n := range crowdConnections {
		connecting <- struct{}{}
		fetches.Go(func() {
			dialer := net.Dialer{Timeout: time.Minute, LocalAddr: &net.TCPAddr{IP: net.ParseIP(crowdAddr(n))}}
			c, err := dialer.Dial("tcp", crowdOrigin(n)+":80")
			<-connecting
			if err == nil {
				err = crowdFetch(c, crowdOrigin(n), crowdAddr(n))
			}
			if err != nil {
				t.Errorf("client %d: %v", n, err)
			}
		})
	}
	fetches.Wait()
}

func crowdFetch(c net.Conn, origin, client string) error {
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	fmt.Fprint(c, originForm(origin))
	reply, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != 200 || string(body) != client {
		return fmt.Errorf("status %d, the origin saw %.100q, want %s; %v", reply.StatusCode, body, client, err)
	}
	return nil
}
