package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// 1,000 tunnels with a little in them beside 100 bulk transfers, by a proxy that
// runs as its effective user, who may have few and small pipes: every byte
// arrives, and no tunnel waits for the bulk.
func TestSlowTunnelsBesideBulk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to give up")
	}
	if testing.Short() {
		t.Skip("short")
	}
	const tunnels, bulks, rounds, size = 1000, 100, 5, 8 << 20
	s := newSubject(t)
	text := strings.Replace(s.read("squid.conf"), "http_access deny all", "http_access allow all\ncache_effective_user nobody", 1)
	if err := os.WriteFile(s.conf(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	origin, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer origin.Close()
	go func() {
		piece := make([]byte, 64<<10)
		for {
			c, err := origin.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				line, err := r.ReadString('\n')
				if err == nil && strings.HasPrefix(line, "GET ") {
					fmt.Fprintf(c, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n", size)
					for n := 0; n < size && err == nil; n += len(piece) {
						_, err = c.Write(piece)
					}
					return
				}
				for err == nil {
					if _, err = io.WriteString(c, line); err == nil {
						line, err = r.ReadString('\n')
					}
				}
			}()
		}
	}()
	proxy := s.start()
	dial := func() (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err != nil {
			t.Error(err)
			return nil, nil
		}
		c.SetDeadline(time.Now().Add(2 * time.Minute))
		return c, bufio.NewReader(c)
	}
	begin := time.Now()
	var wg sync.WaitGroup
	var worst atomic.Int64
	for range tunnels {
		wg.Go(func() {
			c, r := dial()
			if c == nil {
				return
			}
			defer c.Close()
			fmt.Fprintf(c, "CONNECT %s HTTP/1.0\r\n\r\n", origin.Addr())
			r.ReadString('\n')
			r.ReadString('\n')
			for n := range rounds {
				said := fmt.Sprintf("round %d\n", n)
				asked := time.Now()
				io.WriteString(c, said)
				if got, err := r.ReadString('\n'); got != said {
					t.Errorf("tunnel: %q %v", got, err)
					return
				}
				worst.Store(max(worst.Load(), int64(time.Since(asked))))
				time.Sleep(200 * time.Millisecond) // slow is what they are to be
			}
		})
	}
	for range bulks {
		wg.Go(func() {
			c, r := dial()
			if c == nil {
				return
			}
			defer c.Close()
			fmt.Fprintf(c, "GET http://%s/ HTTP/1.0\r\n\r\n", origin.Addr())
			for line := ""; line != "\r\n"; {
				var err error
				if line, err = r.ReadString('\n'); err != nil {
					t.Errorf("bulk: %v", err)
					return
				}
			}
			if n, err := io.Copy(io.Discard, r); n != size || err != nil {
				t.Errorf("bulk: %d bytes, %v", n, err)
			}
		})
	}
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", proxy.Process.Pid)); err != nil || strings.Contains(string(status), "\nUid:\t0\t") {
		t.Errorf("the proxy is still root: %v", err)
	}
	wg.Wait()
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", proxy.Process.Pid))
	if f := strings.Fields(string(stat)); len(f) > 14 {
		t.Logf("%v; %d MB of bulk; ticks of user and system time of the proxy: %s %s; longest wait in a tunnel %v",
			time.Since(begin).Round(time.Millisecond), bulks*size>>20, f[13], f[14], time.Duration(worst.Load()).Round(time.Millisecond))
	}
}
