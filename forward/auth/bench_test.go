package auth

import (
	"context"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
)

var (
	basicConfig  = &conf.AuthScheme{Name: "basic", CredentialsTTL: time.Hour}
	digestConfig = &conf.AuthScheme{Name: "digest", Realm: "r", NonceMaxCount: 50, NonceMaxDuration: time.Hour, NonceGarbageInterval: time.Minute, CheckNonceCount: true}
	quiet        = zap.NewNop()
)

// A login that is known.
func BenchmarkBasicKnown(b *testing.B) {
	memory := NewMemory()
	memory.ttl, memory.sweep = time.Hour, time.Hour
	a := &Authenticator{memory: memory, now: time.Now, schemes: []scheme{&basic{cfg: basicConfig, memory: memory, now: time.Now,
		ask: func(context.Context, []byte) (string, error) { return "OK", nil }}}}
	q := Request{Field: []byte("Basic Ym9iOnNlY3JldA=="), Method: "GET", Conn: new(Conn)}
	check := func() {
		var l Login
		a.Check(context.Background(), &l, q)
		if l.State != Accepted || l.User != "bob" {
			b.Fatal(l)
		}
	}
	check()
	b.ReportAllocs()
	for b.Loop() {
		check()
	}
}
