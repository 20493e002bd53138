package tproxy

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// SocketOptions are the settings both listening and dialling sockets know.
type SocketOptions struct {
	// Mark is the socket's SO_MARK; 0 leaves it alone. See OwnMark.
	Mark uint32
	// NoPMTUDisc sends without the don't-fragment bit (httpd_accel_no_pmtu_disc),
	// for paths whose routers lose the ICMP message that asks for smaller packets.
	NoPMTUDisc bool
	// MSS is the largest TCP segment offered and sent by IPv4, in octets; 0 leaves it to
	// the kernel. Set it below the MTU of a GRE path (fact 23: 1500 - 28 - 40). By IPv6
	// it is smaller by what the header is longer.
	MSS int
}

// set is one setsockopt with the option's name for the error.
func set(fd uintptr, level, option, value int, name string) error {
	return os.NewSyscallError("setsockopt "+name, unix.SetsockoptInt(int(fd), level, option, value))
}

// transparent lets a socket bind to, and listen on, addresses of other hosts.
func transparent(fd uintptr, is4 bool) error {
	if is4 {
		return set(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1, "IP_TRANSPARENT")
	}
	return set(fd, unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1, "IPV6_TRANSPARENT")
}

func (o SocketOptions) apply(fd uintptr, is4 bool) error {
	if o.Mark != 0 {
		if err := set(fd, unix.SOL_SOCKET, unix.SO_MARK, int(o.Mark), "SO_MARK"); err != nil {
			return err
		}
	}
	if o.NoPMTUDisc {
		if err := noPMTUDisc(fd, is4); err != nil {
			return err
		}
	}
	if o.MSS != 0 {
		return setMSS(fd, o.MSS, is4)
	}
	return nil
}

// longerHeader is by how many octets IPv6's header exceeds IPv4's.
const longerHeader = 20

func setMSS(fd uintptr, mss int, is4 bool) error {
	if !is4 {
		mss -= longerHeader
	}
	return set(fd, unix.SOL_TCP, unix.TCP_MAXSEG, mss, "TCP_MAXSEG")
}

func noPMTUDisc(fd uintptr, is4 bool) error {
	if is4 {
		return set(fd, unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT, "IP_MTU_DISCOVER")
	}
	return set(fd, unix.SOL_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DONT, "IPV6_MTU_DISCOVER")
}

// SetMSS changes the MSS of a listener, for connections accepted from now on.
func SetMSS(l *net.TCPListener, mss int) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	is4 := l.Addr().(*net.TCPAddr).IP.To4() != nil
	return control(raw, func(fd uintptr) error { return setMSS(fd, mss, is4) })
}

// control runs f on the descriptor and returns the first error of the two.
func control(c syscall.RawConn, f func(fd uintptr) error) error {
	var inner error
	if err := c.Control(func(fd uintptr) { inner = f(fd) }); err != nil {
		return err
	}
	return inner
}

// network is the family-bound name Go's net package wants for an address.
func network(a netip.Addr) string {
	if a.Is4() {
		return "tcp4"
	}
	return "tcp6"
}
