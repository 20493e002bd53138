package peer

import (
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
)

// batchSize is how many packets one system call may read or send.
const batchSize = 16

// batch is the packets one read of a socket gave, and the answers to them.
type batch struct {
	conn    *ipv4.PacketConn
	in, out []ipv4.Message
	got     int      // of in
	rooms   [][]byte // for answers
	buffers [][][]byte
}

// newBatch makes one for packets of at most size octets; what is longer is cut.
func newBatch(c *net.UDPConn, size int) *batch {
	b := &batch{conn: ipv4.NewPacketConn(c), in: make([]ipv4.Message, batchSize), rooms: make([][]byte, batchSize), buffers: make([][][]byte, batchSize)}
	for i := range b.in {
		b.in[i].Buffers = [][]byte{make([]byte, size)}
		b.buffers[i] = make([][]byte, 1)
	}
	return b
}

// read waits for packets.
func (b *batch) read() (err error) {
	b.out = b.out[:0]
	b.got, err = b.conn.ReadBatch(b.in, 0)
	if err != nil {
		b.got = 0
	}
	return err
}

// packet gives one that was read, and where it came from; empty for one from nowhere.
func (b *batch) packet(i int) ([]byte, netip.AddrPort) {
	m := &b.in[i]
	addr, ok := m.Addr.(*net.UDPAddr)
	if !ok {
		return nil, netip.AddrPort{}
	}
	from := addr.AddrPort()
	return m.Buffers[0][:m.N], netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

// room gives the room for the answer to a packet.
func (b *batch) room(i int) []byte { return b.rooms[i][:0] }

// answer has the answer to a packet sent, none for an empty one.
func (b *batch) answer(i int, reply []byte) {
	b.rooms[i] = reply
	if len(reply) == 0 {
		return
	}
	b.buffers[i][0] = reply
	b.out = append(b.out, ipv4.Message{Buffers: b.buffers[i], Addr: b.in[i].Addr})
}

// send sends the answers. One that cannot be sent is lost, as any may be.
func (b *batch) send() {
	for left := b.out; len(left) > 0; {
		n, err := b.conn.WriteBatch(left, 0)
		if err != nil {
			n = max(n, 1)
		}
		left = left[n:]
	}
}
