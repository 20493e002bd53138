package delay

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
)

// What -k delay prints.
func TestStatus(t *testing.T) {
	p := New(&conf.Config{Delay: conf.Delay{InitialBucketLevel: 50, Pools: []conf.DelayPool{
		{},
		{Class: 3, Aggregate: conf.DelayRate{Restore: -1, Max: -1}, Network: conf.DelayRate{Restore: 0, Max: 8000}, Individual: conf.DelayRate{Restore: 0, Max: -1}},
		{Class: 1, Aggregate: conf.DelayRate{Restore: 0, Max: 100}},
	}}}, make([]acl.List, 3))
	q := p.list[1]
	q.transfers = 1
	q.pay(placeOf(netip.MustParseAddr("10.0.2.7")), 5000, 0)
	var text, made bytes.Buffer
	if err := WriteStatus(&text, p.Status()); err != nil {
		t.Fatal(err)
	}
	if want := `pool 2, class 3: 1 transfers, 0 of them waiting, 5000 octets passed
  network 2: -1000 of 8000, 0 a second
  host 2.7: -5000, 0 a second
pool 3, class 1: 0 transfers, 0 of them waiting, 0 octets passed
  all: 50 of 100, 0 a second
`; text.String() != want {
		t.Errorf("got  %s\nwant %s", &text, want)
	}
	if err := WriteStatusJSON(&made, p.Status()); err != nil {
		t.Fatal(err)
	}
	var back []Status
	if err := json.Unmarshal(made.Bytes(), &back); err != nil || len(back) != 2 || back[0].Hosts[0] != (Level{"2.7", -5000, 0, -1}) || back[1].Aggregate.Octets != 50 {
		t.Errorf("%s: %v", &made, err)
	}
	text.Reset()
	if WriteStatus(&text, New(&conf.Config{}, nil).Status()); text.String() != "No delay pools are configured.\n" {
		t.Errorf("%q", &text)
	}
}
