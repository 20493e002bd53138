package conf

import (
	"net/netip"
	"strings"
	"testing"
)

// Directives of another build of 2.6 count as unknown, and act.
func TestOtherBuild(t *testing.T) {
	text := "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\nmcast_miss_addr 239.1.2.3\nmcast_miss_ttl 3\nmcast_miss_port 4000\nmcast_miss_encode_key 0123456789abcdef\n"
	cfg, report := loadText(t, text)
	want := MulticastMiss{Addr: netip.MustParseAddr("239.1.2.3"), TTL: 3, Port: 4000, EncodeKey: "0123456789abcdef"}
	if cfg.MulticastMiss != want || report.Exit != 4 {
		t.Errorf("%+v, status %d", cfg.MulticastMiss, report.Exit)
	}
	again, _ := loadText(t, string(cfg.Dump(true)))
	if again.MulticastMiss != want {
		t.Errorf("read again from the dump: %+v", again.MulticastMiss)
	}
	for _, bad := range []string{"mcast_miss_encode_key 123456789012345", "mcast_miss_ttl 70000", "mcast_miss_addr"} {
		cfg, report := loadText(t, "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\n"+bad+"\n")
		if cfg == nil || cfg.MulticastMiss.Wanted() || len(cfg.MulticastMiss.EncodeKey) != MissKeySize || report.Exit != 1 {
			t.Errorf("%s: %+v", bad, report.Lines)
		}
	}
	off, _ := loadText(t, "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\n")
	if strings.Contains(string(off.Dump(true)), "mcast_miss") {
		t.Error("a dump has what is not used")
	}
}
