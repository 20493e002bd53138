package auth

import (
	"hash/maphash"
	"time"
)

// knownFor is how long a connection need not ask the memory about the credentials it
// has just shown. The memory counts when a login was used in steps of that.
const knownFor = 5 * time.Second

// known is the Basic credentials a connection has shown last, as a keyed hash: a client
// sends the same ones with every request.
type known struct {
	by    *basic // of the configuration they were checked with
	hash  [2]uint64
	login *login
	until time.Time
}

var knownSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func knownHash(credentials []byte) [2]uint64 {
	return [2]uint64{maphash.Bytes(knownSeeds[0], credentials), maphash.Bytes(knownSeeds[1], credentials)}
}

// recall gives the login that credentials, as they stand in the field, were found right
// for here, nil when the memory must be asked.
func (c *Conn) recall(by *basic, credentials []byte, now time.Time) *login {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := &c.known
	if k.login == nil || k.by != by || k.login.gone.Load() || !now.Before(k.until) || k.hash != knownHash(credentials) {
		return nil
	}
	return k.login
}

// remember notes what credentials were found right for.
func (c *Conn) remember(by *basic, credentials []byte, l *login, now time.Time) {
	if c == nil {
		return
	}
	until := now.Add(knownFor)
	if span := by.cfg.CredentialsTTL; span > 0 {
		until = earlier(until, l.checked.Add(span))
	}
	if ttl := by.memory.idle(); ttl > 0 {
		until = earlier(until, now.Add(ttl/2))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = known{by: by, hash: knownHash(credentials), login: l, until: until}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// idle is how long a login lives without being used.
func (m *Memory) idle() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ttl
}
