package gre

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchLen is how many packets one recvmmsg may bring.
	batchLen = 64
	// packetLen holds the largest IP packet; the kernel delivers reassembled ones.
	packetLen = 65536
)

// mmsghdr is the kernel's struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
	_   [unsafe.Sizeof(uintptr(0)) - 4]byte
}

// batch is a set of buffers for recvmmsg, made once: receiving allocates nothing.
type batch struct {
	conn    syscall.RawConn
	headers [batchLen]mmsghdr
	vectors [batchLen]unix.Iovec
	memory  []byte
	got     int
	errno   syscall.Errno
	try     func(fd uintptr) bool
}

func newBatch(conn syscall.RawConn) *batch {
	b := &batch{conn: conn, memory: make([]byte, batchLen*packetLen)}
	for i := range b.headers {
		b.vectors[i].Base = &b.memory[i*packetLen]
		b.vectors[i].SetLen(packetLen)
		b.headers[i].hdr.Iov = &b.vectors[i]
		b.headers[i].hdr.SetIovlen(1)
	}
	b.try = b.receiveNow
	return b
}

// receive waits for packets and reads as many as there are, at least one.
func (b *batch) receive() error {
	if err := b.conn.Read(b.try); err != nil {
		return err
	}
	if b.errno != 0 {
		return b.errno
	}
	return nil
}

func (b *batch) receiveNow(fd uintptr) bool {
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.headers[0])),
		batchLen, unix.MSG_DONTWAIT, 0, 0)
	if errno == unix.EAGAIN {
		return false
	}
	b.got, b.errno = int(n), errno
	return true
}

// packet is the i-th packet received, valid until the next receive.
func (b *batch) packet(i int) []byte {
	n := min(int(b.headers[i].len), packetLen)
	return b.memory[i*packetLen:][:n]
}
