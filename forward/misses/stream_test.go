package misses

import (
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// What a Squid 2.6 sent with the key 0123456789abcdef.
func TestRecorded(t *testing.T) {
	k := newKey("0123456789abcdef and what follows")
	for url, want := range map[string]string{
		"http://127.0.0.200:8000/1234567":  "4c90b136aeb8ca5a222c1e3d71b5df1dad0499c6a8d466ee79b8a43c4c407beb",
		"http://127.0.0.200:8000/12345678": "4c90b136aeb8ca5a222c1e3d71b5df1dad0499c6a8d466ee490e467fb742221d", // and a block for the 0
		"http://127.0.0.200:8000/" + strings.Repeat("x", 24): "4c90b136aeb8ca5a222c1e3d71b5df1dad0499c6a8d466ee" +
			"a6354293f228854da6354293f228854da6354293f228854d",
	} {
		got := hex.EncodeToString(k.appendText(nil, []byte(url)))
		if !strings.HasPrefix(got, want) || len(got) != 2*8*((len(url)+8)/8) {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
	if n := len(k.appendText(nil, make([]byte, 5000))); n != mostText {
		t.Errorf("a long one has %d octets", n)
	}
}

// decipher is what a receiver does.
func (k *key) decipher(b []byte) string {
	b = append([]byte(nil), b...)
	for p := b; len(p) > 0; p = p[8:] {
		y, z := binary.BigEndian.Uint32(p), binary.BigEndian.Uint32(p[4:])
		sum := uint32(delta)
		sum *= rounds
		for range rounds {
			z -= (y << 4) + (k[2] ^ y) + (sum ^ (y >> 5)) + k[3]
			y -= (z << 4) + (k[0] ^ z) + (sum ^ (z >> 5)) + k[1]
			sum -= delta
		}
		binary.BigEndian.PutUint32(p, y)
		binary.BigEndian.PutUint32(p[4:], z)
	}
	text, _, _ := strings.Cut(string(b), "\x00")
	return text
}

func TestDeciphers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text [16]byte
		copy(text[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"))
		k := newKey(string(text[:]))
		url := rapid.SliceOfN(rapid.ByteRange(1, 255), 0, 2000).Draw(t, "url")
		b := k.appendText(nil, url)
		if got := k.decipher(b); got != string(url[:min(len(url), mostText-1)]) || len(b)%8 != 0 {
			t.Fatalf("%q", got)
		}
	})
}

func configured(t *testing.T, lines string) *conf.Config {
	t.Helper()
	cfg, report := conf.LoadText("squid.conf", []byte("http_port 3128\nvisible_hostname x\nacl all src 0.0.0.0/0.0.0.0\n"+lines), conf.Options{})
	if cfg == nil {
		t.Fatalf("%+v", report.Lines)
	}
	return cfg
}

// Packets arrive; nothing is sent where nothing is asked for, and after Close.
func TestStream(t *testing.T) {
	receiver, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	port := receiver.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	cfg := configured(t, "mcast_miss_addr 127.0.0.1\nmcast_miss_ttl 3\nmcast_miss_encode_key 0123456789abcdef\nudp_incoming_address 127.0.0.2")
	cfg.MulticastMiss.Port = port
	s, err := Open(cfg, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	ttl := 0
	s.raw.Control(func(fd uintptr) { ttl, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_TTL) })
	if err != nil || ttl != 3 {
		t.Errorf("time to live %d, %v", ttl, err)
	}
	again, err := Open(cfg, zap.NewNop()) // the next configuration, while the old one is there
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	s.Tell([]byte("http://www.test/a"))
	room := make([]byte, 2000)
	receiver.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, from, err := receiver.ReadFromUDPAddrPort(room)
	if err != nil || s.key.decipher(room[:n]) != "http://www.test/a" || from != netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port) {
		t.Errorf("%x from %s, %v", room[:n], from, err)
	}
	s.Close()
	s.Tell([]byte("http://www.test/after"))
	again.Tell([]byte("http://www.test/next"))
	if n, _, err := receiver.ReadFromUDPAddrPort(room); err != nil || s.key.decipher(room[:n]) != "http://www.test/next" {
		t.Errorf("%x, %v", room[:n], err)
	}
}

func TestTellAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector has pools forget")
	}
	s, err := Open(configured(t, "mcast_miss_addr 127.0.0.1\nudp_incoming_address 127.0.0.2"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	url := []byte("http://www.test/b")
	if n := testing.AllocsPerRun(100, func() { s.Tell(url) }); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

func TestOpenFaults(t *testing.T) {
	if s, err := Open(configured(t, ""), zap.NewNop()); s != nil || err != nil {
		t.Errorf("nothing asked for: %v %v", s, err)
	}
	(*Stream)(nil).Tell([]byte("x"))
	(*Stream)(nil).Close()
	_, err := Open(configured(t, "mcast_miss_addr 239.1.2.3\nudp_incoming_address 192.0.2.1\nmcast_miss_port 3135"), zap.NewNop())
	if err == nil || !strings.Contains(err.Error(), "mcast_miss_port 3135") {
		t.Errorf("an address of somebody else's: %v", err)
	}
}
