package routersim

import (
	"bytes"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]Faults{
		"":                                      {},
		"silent":                                {Silent: true},
		"loss_out=0.5 duplicate=1,reorder=0.25": {LossOut: 0.5, Duplicate: 1, Reorder: 0.25},
		`{"wrong_password": true}`:              {WrongPassword: true},
		"delay=0.5 jitter=2":                    {Delay: 0.5, Jitter: 2},
	} {
		if got, err := ParseFaults(text); err != nil || got != want {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for _, text := range []string{"no_such", "loss_in=2", "delay=-1", "loss_in=x", "{", "delay=1e9"} {
		if _, err := ParseFaults(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestEachFaultDoesWhatItSays(t *testing.T) {
	start := func(f Faults) (*bench, []Datagram) {
		b := newBench(t, Config{Faults: f})
		c := b.cache(20, requests)
		return b, b.say(c, c.HereIAm())
	}
	if b, out := start(Faults{LossIn: 1}); len(out) != 0 || !b.happened(Lost) || b.happened(CacheSeen) {
		t.Error("loss_in")
	}
	if b, out := start(Faults{LossOut: 1}); len(out) != 0 || !b.happened(CacheSeen) {
		t.Error("loss_out")
	}
	if _, out := start(Faults{Silent: true}); len(out) != 0 {
		t.Error("silent")
	}
	if _, out := start(Faults{Duplicate: 1}); len(out) != 2 || !bytes.Equal(out[0].Payload, out[1].Payload) {
		t.Error("duplicate")
	}
	_, good := start(Faults{})
	if _, out := start(Faults{Truncate: 1}); len(out) != 1 || len(out[0].Payload) >= len(good[0].Payload) {
		t.Error("truncate")
	}
	if _, out := start(Faults{Corrupt: 1}); len(out) != 1 || bytes.Equal(out[0].Payload, good[0].Payload) {
		t.Error("corrupt")
	}
	b, out := start(Faults{Delay: 2})
	if len(out) != 0 || len(b.router.Take(epoch.Add(time.Second))) != 0 || len(b.router.Take(epoch.Add(2*time.Second))) != 1 {
		t.Error("delay")
	}
}

func TestReorderLetsTheNextOneOvertake(t *testing.T) {
	b := newBench(t, Config{Faults: Faults{Reorder: 1}})
	c := b.cache(20, requests)
	if out := b.say(c, c.HereIAm()); len(out) != 0 {
		t.Fatalf("%d datagrams at once", len(out))
	}
	b.router.SetFaults(Faults{})
	out := b.say(c, c.HereIAm())
	if len(out) != 2 {
		t.Fatalf("%d datagrams after the second", len(out))
	}
	var ids []uint32
	for _, d := range out {
		m, err := wire.Parse(d.Payload)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.RouterIdentity.ReceiveID)
	}
	if ids[0] != 2 || ids[1] != 1 {
		t.Errorf("receive ids in order %v", ids)
	}
	b.router.SetFaults(Faults{Reorder: 1})
	b.say(c, c.HereIAm())
	if late := b.router.Take(b.now.Add(DefaultInterval)); len(late) != 1 {
		t.Error("a datagram that none overtakes has to go after an interval")
	}
}

func TestAWrongPasswordOrReceiveIDKeepsCachesOut(t *testing.T) {
	for _, f := range []Faults{{WrongPassword: true}, {WrongReceiveID: true}} {
		b := newBench(t, Config{AnyService: true, Password: "secret", Faults: f})
		c := b.cache(20, requests)
		c.Password = "secret"
		for range 4 {
			b.say(c, c.HereIAm())
			b.pass(DefaultInterval)
		}
		if c.Usable() || b.happened(CacheJoined) {
			t.Errorf("%+v: the cache joined", f)
		}
	}
}
