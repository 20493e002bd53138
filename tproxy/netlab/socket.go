package netlab

import (
	"context"
	"net"
	"time"
)

// Listen opens a TCP listener inside the namespace.
func (n *Node) Listen(address string) (net.Listener, error) {
	var l net.Listener
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	err := n.Do(func() (err error) {
		l, err = config.Listen(context.Background(), "tcp", address)
		return err
	})
	return l, err
}

// Dial connects from inside the namespace to a literal address; a name would be
// looked up on another thread, outside.
func (n *Node) Dial(ctx context.Context, address string) (net.Conn, error) {
	return n.DialFrom(ctx, "", address)
}

// DialFrom is Dial with a local address of the node, "" for the kernel's choice.
func (n *Node) DialFrom(ctx context.Context, local, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 30 * time.Second, KeepAlive: -1}
	if local != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(local)}
	}
	var c net.Conn
	err := n.Do(func() (err error) {
		c, err = dialer.DialContext(ctx, "tcp", address)
		return err
	})
	return c, err
}
