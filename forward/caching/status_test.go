package caching

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

func TestStatusName(t *testing.T) {
	for host, want := range map[string]string{
		"cache.example": "cache.example", "Proxy_1": "Proxy_1", "10.0.0.1": `"10.0.0.1"`, "_cache": `"_cache"`, "-": `"-"`,
		"": `""`, "a b": `"a b"`, `a"b`: `"a\"b"`,
	} {
		if got := StatusName(host); got != want {
			t.Errorf("%q: %s, want %s", host, got, want)
		}
	}
}

// Each word of RFC 9211 section 2.2 that a request of ours can have.
func TestStatusSaysWhyItWentOn(t *testing.T) {
	get := freshness.Request{Method: http1.GET}
	for want, r := range map[string]Request{
		"; fwd=method; fwd-status=200":           {State: State{Asked: freshness.Request{Method: http1.POST}}},
		"; fwd=bypass; fwd-status=200":           {State: State{Asked: get}},
		"; fwd=uri-miss; fwd-status=200; stored": {State: State{Asked: get, Uses: true, Fill: new(Filling), decided: freshness.Decision{Lookup: freshness.LookupMiss}}},
		"; fwd=uri-miss; fwd-status=200":         {State: State{Asked: get, Uses: true, Fill: new(Filling), alone: true, decided: freshness.Decision{Lookup: freshness.LookupMiss}}},
		"; fwd=vary-miss; fwd-status=200":        {State: State{Asked: get, Uses: true, others: true, decided: freshness.Decision{Lookup: freshness.LookupMiss}}},
		"; fwd=stale; fwd-status=200":            {State: State{Asked: get, Uses: true, decided: freshness.Decision{Lookup: freshness.LookupHit}}},
	} {
		if got := string(r.AppendStatus(nil, false, 200)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for want, r := range map[string]Request{
		"; hit":                       {Stored: Object{Described: freshness.Object{Expires: freshness.None}}},
		"; fwd=stale; fwd-status=304": {Stored: Object{Described: freshness.Object{Expires: freshness.None}}, State: State{refreshed: 304}},
		"; fwd=uri-miss; collapsed":   {State: State{joined: new(Filling)}},
	} {
		if got := string(r.AppendStatus(nil, true, 200)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
