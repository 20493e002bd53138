package gre

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// Config describes a Decapsulator.
type Config struct {
	// Device is the name of the TUN device; DefaultDevice when empty.
	Device string
	// Local is the address routers send to; the zero value takes all of them.
	Local netip.Addr
	// Own tells the addresses of this host, so that nothing loops; nil for none.
	Own func(netip.Addr) bool
	// Here tells the destinations that are delivered to this host; nil for none.
	// Nothing inside may be for them.
	Here func(netip.Addr) bool
	// Key is the GRE key routers must use; nil accepts any and none.
	Key *uint32
	// Mark is put on packets given back.
	Mark uint32
	// Return gives packets that no rule of the host takes back to the router they
	// came from (WCCP's return method GRE).
	Return bool
	// Socket and TUN are what OpenSocket and OpenTUN made in a process that has
	// the right to; nil for opening them here. Open takes them over.
	Socket, TUN *os.File
}

// DefaultDevice is the name of the device that delivers decapsulated packets.
const DefaultDevice = "cuttle-gre"

// receiveBuffer is asked for so that a burst of packets is not lost silently.
const receiveBuffer = 16 << 20

// Decapsulator receives GRE in this process. Open it before giving up root; Run
// needs no rights.
type Decapsulator struct {
	unwrapper
	device string
	socket *net.IPConn
	raw    syscall.RawConn
	tun    *os.File
	tunRaw syscall.RawConn
	back   *memory // nil without return
	count  counters
	batch  *batch
	out    int // of the batch, next to be written
	write  func(fd uintptr) bool
	close  sync.Once
}

// Open makes the device and the socket, in the namespace of the calling thread.
func Open(config Config) (*Decapsulator, error) {
	d := &Decapsulator{device: config.Device}
	if d.device == "" {
		d.device = DefaultDevice
	}
	d.own, d.here, d.key = config.Own, config.Here, config.Key
	if config.Return {
		d.back = newMemory()
	}
	var err error
	if d.socket, err = config.socket(); err != nil {
		if config.TUN != nil {
			config.TUN.Close()
		}
		return nil, fmt.Errorf("receiving GRE: %w", err)
	}
	if d.tun = config.TUN; d.tun == nil {
		d.tun, err = openTUN(d.device)
	}
	if err != nil {
		d.socket.Close()
		return nil, fmt.Errorf("receiving GRE: %w", err)
	}
	d.raw, err = d.socket.SyscallConn()
	if err == nil {
		d.tunRaw, err = d.tun.SyscallConn()
	}
	if err != nil {
		d.Close()
		return nil, err
	}
	d.batch = newBatch(d.raw)
	d.write = d.writeBatch
	if config.Return {
		if err := wayBack(d.device); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// OpenSocket opens the raw socket of a configuration for another process.
func OpenSocket(config Config) (*os.File, error) {
	c, err := openSocket(config)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.File()
}

// OpenTUN makes the device of a configuration for another process. It lives as
// long as the file is open somewhere.
func OpenTUN(config Config) (*os.File, error) {
	if config.Device == "" {
		config.Device = DefaultDevice
	}
	return openTUN(config.Device)
}

func (config Config) socket() (*net.IPConn, error) {
	if config.Socket == nil {
		return openSocket(config)
	}
	defer config.Socket.Close()
	c, err := net.FilePacketConn(config.Socket)
	if err != nil {
		return nil, err
	}
	ip, raw := c.(*net.IPConn)
	if !raw {
		c.Close()
		return nil, errors.New("not a raw socket")
	}
	return ip, nil
}

func openSocket(config Config) (*net.IPConn, error) {
	local := config.Local
	if !local.IsValid() {
		local = netip.IPv4Unspecified()
	}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = socketOptions(int(fd), config.Mark) })
		return err
	}}
	c, err := lc.ListenPacket(context.Background(), "ip4:47", local.String())
	if err != nil {
		return nil, rights.Explain(err, "opening a raw socket", cap.NET_RAW)
	}
	return c.(*net.IPConn), nil
}

func socketOptions(fd int, mark uint32) error {
	// Beyond net.core.rmem_max only with CAP_NET_ADMIN; without, what can be had.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	if mark != 0 {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(mark)); err != nil {
			return os.NewSyscallError("setsockopt SO_MARK", err)
		}
	}
	// Packets given back may be larger than the path: fragment them.
	return os.NewSyscallError("setsockopt IP_MTU_DISCOVER",
		unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT))
}

// Device is the name of the device packets arrive on.
func (d *Decapsulator) Device() string { return d.device }

// SetRouters limits the senders to these addresses; nil accepts any. It may be
// called at any time.
func (d *Decapsulator) SetRouters(routers []netip.Addr) { d.setRouters(routers) }

// SetServices limits what may be inside to what routers were asked for; nil accepts
// any. It may be called at any time.
func (d *Decapsulator) SetServices(services []Service) { d.setServices(services) }

// Stranger is the sender of the last packet dropped because SetRouters does not
// name it; not valid when there was none.
func (d *Decapsulator) Stranger() netip.Addr { return d.lastStranger() }

// Run moves packets until Close. It returns nil after Close.
func (d *Decapsulator) Run() error {
	var returning sync.WaitGroup
	if d.back != nil {
		returning.Go(d.giveBack)
	}
	err := d.deliver()
	d.Close()
	returning.Wait()
	if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return fmt.Errorf("receiving GRE: %w", err)
}

// deliver unwraps batch after batch.
func (d *Decapsulator) deliver() error {
	for {
		if err := d.deliverBatch(); err != nil {
			return err
		}
	}
}

func (d *Decapsulator) deliverBatch() error {
	if err := d.batch.receive(); err != nil {
		return err
	}
	d.count.received.Add(uint64(d.batch.got))
	d.count.batches.Add(1)
	d.out = 0
	return d.tunRaw.Write(d.write)
}

// writeBatch writes what is inside the packets of the batch to the device.
func (d *Decapsulator) writeBatch(fd uintptr) bool {
	for ; d.out < d.batch.got; d.out++ {
		h, p, router, err := d.unwrap(d.batch.packet(d.out))
		if err != nil {
			d.count.failed(err)
			continue
		}
		if d.back != nil {
			d.back.remember(p, router, h)
		}
		if _, err := unix.Write(int(fd), p.Bytes); err != nil {
			d.count.refused.Add(1)
			continue
		}
		d.count.delivered.Add(1)
	}
	return true
}

// Counts reads the totals.
func (d *Decapsulator) Counts() Counts {
	c := d.count.read()
	d.raw.Control(func(fd uintptr) { c.Lost = lost(int(fd)) })
	return c
}

// lost asks a socket how many packets it dropped (SO_MEMINFO, SK_MEMINFO_DROPS).
func lost(fd int) uint64 {
	const drops = 8
	var info [drops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 || uintptr(size) < unsafe.Sizeof(info) {
		return 0
	}
	return uint64(info[drops])
}

// Close ends Run and removes the device.
func (d *Decapsulator) Close() error {
	var err error
	d.close.Do(func() {
		if d.back != nil {
			forgetWayBack(d.device)
		}
		err = errors.Join(d.socket.Close(), d.tun.Close())
	})
	return err
}
