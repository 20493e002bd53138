package tproxy

import (
	"context"
	"net"
	"net/netip"
	"testing"
)

// BenchmarkDial compares the ways a connection to an origin is made: ours in the
// client's name, ours plainly, and Go's own dialer with nothing set.
func BenchmarkDial(b *testing.B) {
	s := newStreet(b)
	own := ownOf(b, s.gateway)
	var l net.Listener
	err := s.gateway.Do(func() (err error) { l, err = net.Listen("tcp4", "127.0.0.1:0"); return err })
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				c.Read(make([]byte, 1)) // until the client resets, which leaves no TIME_WAIT
				c.Close()
			}()
		}
	}()
	to := addrPort(l.Addr())
	run := func(name string, dial func() (*net.TCPConn, error)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			err := s.gateway.Do(func() error {
				for b.Loop() {
					c, err := dial()
					if err != nil {
						return err
					}
					c.SetLinger(0)
					c.Close()
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
	d := within(b, s.gateway, func() (*Dialer, error) { return NewDialer(SocketOptions{Mark: OwnMark}, own), nil })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	run("AsClient", func() (*net.TCPConn, error) {
		return asTCP(d.Dial(ctx, Target{To: to, From: netip.MustParseAddrPort("127.0.0.7:0"), Spoof: true}))
	})
	run("Plain", func() (*net.TCPConn, error) { return asTCP(d.Dial(ctx, Target{To: to})) })
	var plain net.Dialer
	run("GoDialer", func() (*net.TCPConn, error) {
		c, err := plain.DialContext(ctx, "tcp4", to.String())
		if err != nil {
			return nil, err
		}
		return c.(*net.TCPConn), nil
	})
}

func BenchmarkOriginalDestination(b *testing.B) {
	s := newStreet(b)
	own := ownOf(b, s.gateway)
	l := echoPeer(b, s.gateway, insideV4+":0")
	c, err := s.client.Dial(context.Background(), l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		OriginalDestination(c.(*net.TCPConn), addrPort(c.LocalAddr()), Interception{TProxy: true}, own)
	}
}
