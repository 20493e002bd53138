package main

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// helloAnswer is what a site says to a ClientHello: about as much as a certificate and
// what is around it. TLS itself is nobody's cost who passes it on.
const helloAnswer = 3 << 10

// interceptions measures what c.only names, in a namespace of its own.
func (c *choices) interceptions(bin string) error {
	if err := prepareNetwork(); err != nil {
		return err
	}
	l, err := net.Listen("tcp4", "0.0.0.0:443")
	if err != nil {
		return err
	}
	defer l.Close()
	go accept(l, serveSite)
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		// haproxy reserves half a descriptor more for the pipes of each.
		c.tlsIdle = min(c.tlsIdle, (int(limit.Cur)-1000)*2/5-spareConnections)
	}
	list := tlsContenders(bin, c.against, c.with, max(c.tlsIdle, c.concurrency))
	for _, what := range c.only {
		switch what {
		case "tls":
			c.newTLS(list)
		case "tlsbulk":
			c.bulkTLS(list)
		case "tlsidle":
			c.idleTLS(list)
		}
	}
	if n := untracked(); n > 0 {
		fmt.Printf("  connection tracking had no room for %d packets: what waited for them is not the contenders' fault\n", n)
	}
	return nil
}

// serveSite answers a ClientHello, and pours what it is asked for behind it. Until then it
// keeps nothing: of idle connections there are tens of thousands, and the guest that
// -guest starts can map some 65,000 pages of a process.
func serveSite(c net.Conn) {
	var header [5]byte
	if _, err := io.ReadFull(c, header[:]); err != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint16(header[3:]))); err != nil {
		return
	}
	if _, err := c.Write(bulkChunk[:helloAnswer]); err != nil {
		return
	}
	if _, err := c.Read(header[:1]); err != nil {
		return
	}
	var megabytes int
	if _, err := fmt.Fscanf(io.MultiReader(bytes.NewReader(header[:1]), c), "%d\n", &megabytes); err == nil {
		pour(c, megabytes)
	}
}

// recorder keeps the first thing written to it.
type recorder struct {
	net.Conn
	first []byte
}

func (r *recorder) Write(p []byte) (int, error) {
	r.first = slices.Clone(p)
	return 0, io.ErrClosedPipe
}
func (r *recorder) Close() error                     { return nil }
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }

// hellos are the ClientHellos for all sites.
var hellos = sync.OnceValue(func() (all [sites][]byte) {
	for i := range all {
		r := &recorder{}
		tls.Client(r, &tls.Config{ServerName: siteName(i), NextProtos: []string{"h2", "http/1.1"}}).Handshake()
		all[i] = r.first
	}
	return all
})

// greetPatience is how long a contender may take over a connection; one that is full
// takes none.
const greetPatience = 20 * time.Second

// greet connects to a site, says hello and reads its answer.
func greet(client string, site int) (net.Conn, error) {
	conn, err := dialSite(client, site)
	if err != nil {
		return nil, err
	}
	hello := hellos()[site%sites]
	conn.SetDeadline(time.Now().Add(greetPatience))
	if _, err = conn.Write(hello); err == nil {
		_, err = io.CopyN(io.Discard, conn, helloAnswer)
	}
	conn.SetDeadline(time.Time{})
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("after the ClientHello: %w", err)
	}
	return conn, nil
}

// newTLS measures new connections, all contenders in turn.
func (c *choices) newTLS(list []contender) {
	fmt.Printf("intercepted TLS connections, hello of %d octets, answer of %d, %d at a time, access log on, %d rounds of %v each\n",
		len(hellos()[0]), helloAnswer, c.concurrency, c.rounds, c.slice)
	var at atomic.Int64
	number := 0
	c.inTurn(list, func(who contender) (*running, []*crowd, error) {
		r, from, err := who.startIntercepting(number)
		number++
		if err != nil {
			return r, nil, err
		}
		return r, []*crowd{{r: r, name: r.name, clients: make([]*client, c.concurrency), visit: func() error {
			conn, err := greet(from, int(at.Add(1)))
			if err != nil {
				return err
			}
			return conn.Close()
		}}}, nil
	}, "haproxy")
}

// bulkTLS measures bytes behind a hello, each contender alone.
func (c *choices) bulkTLS(list []contender) {
	fmt.Printf("intercepted TLS, 4 streams of %d MB\n", 4*c.megabytes)
	t := newTable("ms/GB", "ratio to blind", "GB/s")
	c.eachIntercepting(list, func(r *running, from string) error {
		m := stream(r, 4, func() (int64, error) {
			conn, err := greet(from, 0)
			if err != nil {
				return 0, err
			}
			defer conn.Close()
			fmt.Fprintf(conn, "%d\n", 4*c.megabytes)
			return io.CopyBuffer(discard{}, io.LimitReader(conn, int64(4*c.megabytes)<<20), make([]byte, 256<<10))
		})
		if m.err != nil || m.bytes == 0 {
			return fmt.Errorf("no measurement: %v", m.err)
		}
		gigabytes := float64(m.bytes) / (1 << 30)
		t.add(r.name, []float64{float64(m.cpu.Milliseconds()) / gigabytes, 0, gigabytes / m.elapsed.Seconds()})
		return nil
	})
	t.ratios(oursBlind)
	t.print()
}

// idleTLS measures what a connection that is passed on and silent takes.
func (c *choices) idleTLS(list []contender) {
	fmt.Printf("%d idle connections that are passed on, %v after their hellos\n", c.tlsIdle, c.idleWait)
	t := newTable("octets/connection")
	c.eachIntercepting(list, func(r *running, from string) error {
		for range 200 { // what is there once
			conn, err := greet(from, 0)
			if err != nil {
				return err
			}
			conn.Close()
		}
		before, conns := resident(r.cmd.Process.Pid), make([]net.Conn, 0, c.tlsIdle)
		defer func() {
			for _, conn := range conns {
				conn.Close()
			}
		}()
		for i := range c.tlsIdle {
			conn, err := greet(from, i)
			if err != nil {
				return fmt.Errorf("after %d connections: %w", i, err)
			}
			conns = append(conns, conn)
		}
		time.Sleep(c.idleWait)
		t.add(r.name, []float64{float64(resident(r.cmd.Process.Pid)-before) / float64(c.tlsIdle)})
		return nil
	})
	t.print()
}

// eachIntercepting runs one contender after the other; one that fails is named and left
// out.
func (c *choices) eachIntercepting(list []contender, run func(r *running, from string) error) {
	for i, who := range list {
		r, from, err := who.startIntercepting(i)
		if err == nil {
			err = run(r, from)
		}
		if r != nil {
			r.stop()
		}
		if err != nil {
			fmt.Printf("  %-22s %v\n", who.name, err)
		}
	}
}
