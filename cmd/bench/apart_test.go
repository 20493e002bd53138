package main

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Connections that have ended are soon forgotten: as many as a calm machine makes in one
// measurement would fill the kernel's table of connections, and those that begin then
// lose packets and wait for seconds, or for ever.
func TestEndedConnectionsAreForgotten(t *testing.T) {
	node := netlab.ForTest(t).Node("bench")
	err := node.Do(func() error {
		if err := prepareNetwork(); err != nil {
			return err
		}
		proxy, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer proxy.Close()
		if err := intercept(clientAddress(0), portOf(proxy)); err != nil {
			return err
		}
		var both []net.Conn
		defer func() {
			for _, c := range both {
				c.Close()
			}
		}()
		for range 20 {
			c, err := dialSite(clientAddress(0), 1)
			if err != nil {
				return err
			}
			both = append(both, c)
			accepted, err := proxy.Accept()
			if err != nil {
				return err
			}
			both = append(both, accepted)
		}
		flows, err := netlink.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
		if err != nil || len(flows) == 0 {
			t.Errorf("nothing is tracked in the first place: %v", err)
		}
		for _, c := range both {
			c.Close()
		}
		tracked := -1
		for end := time.Now().Add(30 * time.Second); tracked != 0; time.Sleep(10 * time.Millisecond) {
			flows, err := netlink.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET)
			if err != nil {
				return err
			}
			if tracked = len(flows); time.Now().After(end) {
				t.Errorf("%d connections are tracked 30 s after their ends", tracked)
				break
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What connection tracking dropped is the sum over the processors, whatever columns the
// kernel has.
func TestCountUntracked(t *testing.T) {
	for text, want := range map[string]uint64{
		"": 0,
		"entries  found insert_failed drop early_drop\n00000001 00000002 00000003 0000001f 00000005\n00000001 00000002 00000003 00000001 00000005\n": 0x20,
		"drop\nffffffff\n":       0xffffffff,
		"entries\n00000001\n":    0,
		"entries drop\n000001\n": 0,
	} {
		if n := countUntracked(text); n != want {
			t.Errorf("%s: %d, want %d", strconv.Quote(text), n, want)
		}
	}
}
