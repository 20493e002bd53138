package host

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// QUIC that this host forwards is refused at once, in both families, where that is
// wanted; other UDP goes its way, and so does QUIC without the wish.
func TestQUICIsRefused(t *testing.T) {
	l := newInline(t)
	w := inlineWant
	for _, reject := range []bool{false, true} {
		w.RejectQUIC = reject
		must(t, l.gateway.Do(func() error { return replaceTable(wantedChains(w)) }))
		for family, origin := range inlineOrigins {
			for _, port := range []string{"443", "4433"} {
				echo := listenUDP(t, l.origin, net.JoinHostPort(origin, port))
				err := askUDP(t, l.client, net.JoinHostPort(origin, port))
				echo.Close()
				if refused := errors.Is(err, syscall.ECONNREFUSED); refused != (reject && port == "443") || err != nil && !refused {
					t.Errorf("%s, port %s, reject %v: %v", family, port, reject, err)
				}
			}
		}
	}
}

// listenUDP answers every datagram at an address of a node with itself.
func listenUDP(t *testing.T, node *netlab.Node, address string) net.PacketConn {
	var c net.PacketConn
	must(t, node.Do(func() (err error) { c, err = net.ListenPacket("udp", address); return err }))
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			c.WriteTo(buf[:n], from)
		}
	}()
	return c
}

func askUDP(t *testing.T, node *netlab.Node, address string) error {
	var c net.Conn
	must(t, node.Do(func() (err error) { c, err = net.Dial("udp", address); return err }))
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.Write([]byte("initial packet")); err != nil {
		return err
	}
	_, err := c.Read(make([]byte, 100))
	return err
}
