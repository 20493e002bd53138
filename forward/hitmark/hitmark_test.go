package hitmark

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"
)

// Whose hit it is goes by the log's words.
func TestOf(t *testing.T) {
	all := &Marks{local: 1, sibling: 2, parent: 3}
	for _, c := range []struct {
		tag, code       string
		all, alone, own int // every mark, zph_local alone, all but zph_local
	}{
		{"TCP_HIT", "NONE", 1, 1, 0}, {"TCP_MEM_HIT", "NONE", 1, 1, 0}, {"TCP_IMS_HIT", "NONE", 1, 1, 0}, {"TCP_NEGATIVE_HIT", "NONE", 1, 1, 0},
		{"TCP_OFFLINE_HIT", "NONE", 1, 1, 0}, {"TCP_STALE_HIT", "NONE", 1, 1, 0}, {"TCP_REFRESH_HIT", "DIRECT", 1, 1, 0},
		{"TCP_REFRESH_FAIL_HIT", "DIRECT", 1, 1, 0}, {"TCP_REFRESH_HIT", "SIBLING_HIT", 2, 1, 2},
		{"TCP_MISS", "SIBLING_HIT", 2, 0, 2}, {"TCP_MISS", "CD_SIBLING_HIT", 2, 0, 2}, {"TCP_MISS", "PARENT_HIT", 3, 0, 3}, {"TCP_MISS", "CD_PARENT_HIT", 3, 0, 3},
		{"TCP_MISS", "DIRECT", 0, 0, 0}, {"TCP_MISS", "FIRST_UP_PARENT", 0, 0, 0}, {"TCP_MISS", "PARENT_MISS", 0, 0, 0},
		{"TCP_REFRESH_MISS", "DIRECT", 0, 0, 0}, {"TCP_CLIENT_REFRESH_MISS", "DIRECT", 0, 0, 0}, {"TCP_DENIED", "NONE", 0, 0, 0}, {"NONE", "NONE", 0, 0, 0},
	} {
		if got := all.Of(c.tag, c.code); got != c.all {
			t.Errorf("%s %s: %d, want %d", c.tag, c.code, got, c.all)
		}
		if got := (&Marks{local: 1}).Of(c.tag, c.code); got != c.alone {
			t.Errorf("%s %s with zph_local alone: %d, want %d", c.tag, c.code, got, c.alone)
		}
		if got := (&Marks{sibling: 2, parent: 3}).Of(c.tag, c.code); got != c.own {
			t.Errorf("%s %s without zph_local: %d, want %d", c.tag, c.code, got, c.own)
		}
	}
}

// conn is a client's connection.
type conn struct{ *net.TCPConn }

func (c conn) Control(f func(uintptr)) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(f)
}

func (c conn) Remote() netip.AddrPort { return c.RemoteAddr().(*net.TCPAddr).AddrPort() }

// option reads an option of the socket.
func (c conn) option(t *testing.T, level, name int) (v int) {
	t.Helper()
	err := c.Control(func(fd uintptr) {
		var err error
		if v, err = unix.GetsockoptInt(int(fd), level, name); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// pair is a client and the proxy's side of its connection.
func pair(t *testing.T, address string) (client net.Conn, server conn) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); s.Close() })
	return client, conn{s.(*net.TCPConn)}
}

// A mark is on the socket from the hit on until something else is answered, or the
// configuration has other words.
func TestSockets(t *testing.T) {
	for _, c := range []struct {
		mode        conf.ZPHMode
		address     string
		level, name int
	}{
		{conf.ZPHTOS, "127.0.0.1:0", unix.IPPROTO_IP, unix.IP_TOS},
		{conf.ZPHTOS, "[::1]:0", unix.IPPROTO_IPV6, unix.IPV6_TCLASS},
		{conf.ZPHPriority, "127.0.0.1:0", unix.SOL_SOCKET, unix.SO_PRIORITY},
		{conf.ZPHPriority, "[::1]:0", unix.SOL_SOCKET, unix.SO_PRIORITY},
	} {
		cfg := &conf.Config{}
		local, sibling := 4, 6
		if c.mode == conf.ZPHTOS {
			local, sibling = 0x10, 0x18 // the last two bits are the kernel's, for congestion
		}
		cfg.ZPHMode, cfg.ZPHLocal, cfg.ZPHSibling = c.mode, local, sibling
		m := New(cfg, zap.NewNop())
		_, server := pair(t, c.address)
		var s Socket
		for _, step := range []struct {
			m         *Marks
			tag, code string
			want      int
		}{
			{m, "TCP_MISS", "DIRECT", 0}, {m, "TCP_MEM_HIT", "NONE", local}, {m, "TCP_MISS", "SIBLING_HIT", sibling}, {m, "TCP_HIT", "NONE", local},
			{m, "TCP_DENIED", "NONE", 0}, {m, "TCP_HIT", "NONE", local}, {New(cfg, zap.NewNop()), "TCP_HIT", "NONE", local}, {nil, "TCP_HIT", "NONE", 0},
		} {
			s.Set(server, step.m, step.tag, step.code)
			if got := server.option(t, c.level, c.name); got != step.want {
				t.Errorf("zph_mode %v to %s, %s %s: %d, want %d", c.mode, c.address, step.tag, step.code, got, step.want)
			}
		}
	}
}

// What goes over the wire has the mark: type of service, or option. It takes root to see
// it, and to send options.
func TestPackets(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("raw sockets need root")
	}
	for _, c := range []struct {
		mode conf.ZPHMode
		mark int
		tos  byte
		want string // the options
	}{
		{conf.ZPHTOS, 0x30, 0x30, ""}, {conf.ZPHOption, 0x1234, 0, "\x88\x04\x12\x34"},
	} {
		cfg := &conf.Config{}
		cfg.ZPHMode, cfg.ZPHLocal, cfg.ZPHOption = c.mode, c.mark, 136
		core, told := observer.New(zap.WarnLevel)
		m := New(cfg, zap.New(core))
		client, server := pair(t, "127.0.0.1:0")
		tap, err := net.ListenIP("ip4:tcp", &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer tap.Close()
		var s Socket
		for _, step := range []struct {
			tag, options string
			tos          byte
		}{{"TCP_MISS", "", 0}, {"TCP_HIT", c.want, c.tos}, {"TCP_MISS", "", 0}} {
			s.Set(server, m, step.tag, "NONE")
			server.Write([]byte(step.tag))
			client.Read(make([]byte, 20))
			tos, options := packet(t, tap, step.tag)
			if tos != step.tos || options != step.options {
				t.Errorf("zph_mode %v, %s: type of service %#x, options %q; want %#x, %q", c.mode, step.tag, tos, options, step.tos, step.options)
			}
		}
		if told.Len() != 0 {
			t.Errorf("%v", told.All())
		}
	}
}

// packet waits for the packet that ends with a text.
func packet(t *testing.T, tap *net.IPConn, text string) (tos byte, options string) {
	t.Helper()
	raw, err := tap.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	tap.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 65536)
	for {
		var n int
		if err := raw.Read(func(fd uintptr) bool { // with the IP header, which ReadFrom cuts off
			n, _, err = unix.Recvfrom(int(fd), b, 0)
			return err != unix.EAGAIN
		}); err != nil {
			t.Fatal(err)
		}
		if head := int(b[0]&15) * 4; n > head+20+len(text) && string(b[n-len(text):n]) == text {
			return b[1], string(b[20:head])
		}
	}
}

// What the kernel refuses is told once, and nothing else happens.
func TestRefused(t *testing.T) {
	core, told := observer.New(zap.WarnLevel)
	m := &Marks{mode: conf.ZPHOption, local: 1, option: 131, log: zap.New(core)} // a source route of no use
	_, server := pair(t, "127.0.0.1:0")
	var s Socket
	for range 3 {
		s.Set(server, m, "TCP_HIT", "NONE")
		s.Set(server, m, "TCP_MISS", "NONE")
	}
	if told.Len() != 1 {
		t.Errorf("%d lines: %v", told.Len(), told.All())
	}
	_, six := pair(t, "[::1]:0")
	s = Socket{}
	s.Set(six, m, "TCP_HIT", "NONE") // such options are of IPv4
	server.Close()
	s = Socket{}
	s.Set(server, m, "TCP_HIT", "NONE")
	if told.Len() != 1 {
		t.Errorf("%v", told.All())
	}
}
