package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// mostUsers bounds how many logins, and how many addresses, are remembered.
const mostUsers = 100_000

// key stands for a user and a password, or a user and a realm, without telling them.
type key [sha256.Size]byte

// Memory is what outlives a configuration: logins that were right, the nonces that
// were used, the addresses of users.
type Memory struct {
	secret    [32]byte // of this process: no key or nonce means anything elsewhere
	nonces    nonces
	addresses addresses
	shortcuts shortcuts

	mu     sync.Mutex
	ttl    time.Duration // how long a login lives without being used
	sweep  time.Duration
	next   time.Time // when what nobody uses is looked for
	logins *simplelru.LRU[key, *login]
	latest map[string]key // of each user, the login that was right last
	asking map[key]*flight
}

// login is one that was right.
type login struct {
	user    string
	ha1     string // Digest: the hash that stands for the password
	checked time.Time
	used    time.Time
	told    *acl.Told   // what access lists are told
	gone    atomic.Bool // it is not remembered any more
}

// flight is a question on its way, that others with the same question wait for too.
type flight struct {
	done    chan struct{}
	right   bool
	message string
}

// NewMemory makes an empty one.
func NewMemory() *Memory {
	m := &Memory{latest: map[string]key{}, asking: map[key]*flight{}}
	rand.Read(m.secret[:])
	m.logins, _ = simplelru.NewLRU(mostUsers, m.forgotten)
	m.nonces.init(m.secret)
	return m
}

func (m *Memory) configure(s *conf.AuthSettings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ttl, m.sweep = s.AuthenticateTTL, s.AuthenticateCacheGarbageInterval
}

// key hashes two texts.
func (m *Memory) key(a, b []byte) key {
	var space [128]byte
	text := append(space[:0], m.secret[:16]...)
	text = append(text, byte(len(a)>>24), byte(len(a)>>16), byte(len(a)>>8), byte(len(a)))
	text = append(append(text, a...), b...)
	k := key(sha256.Sum256(text))
	clear(text)
	return k
}

// recall gives a login that was right, nil for none. It must not have been checked longer
// ago than span, 0 for any time.
func (m *Memory) recall(k key, now time.Time, span time.Duration) *login {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweepAt(now)
	l, ok := m.logins.Get(k)
	if !ok {
		return nil
	}
	if m.ttl > 0 && now.Sub(l.used) > m.ttl || span > 0 && now.Sub(l.checked) >= span {
		m.logins.Remove(k)
		return nil
	}
	l.used = now
	return l
}

// remember notes a login that is right.
func (m *Memory) remember(k key, user, ha1 string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logins.Add(k, &login{user: user, ha1: ha1, checked: now, used: now, told: &acl.Told{AuthUser: user}})
	if old, ok := m.latest[user]; ok && old != k {
		m.logins.Remove(old) // its password is not right any more
	}
	m.latest[user] = k
}

// forget drops what is remembered of a user: somebody failed with that name.
func (m *Memory) forget(user string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, ok := m.latest[user]; ok {
		m.logins.Remove(k)
	}
}

// forgotten keeps latest, and the connections that know the login, in step. The caller
// holds m.mu.
func (m *Memory) forgotten(k key, l *login) {
	l.gone.Store(true)
	if m.latest[l.user] == k {
		delete(m.latest, l.user)
	}
}

// sweepAt drops what was not used for long. The caller holds m.mu.
func (m *Memory) sweepAt(now time.Time) {
	if now.Before(m.next) || m.sweep <= 0 {
		return
	}
	m.next = now.Add(m.sweep)
	for _, k := range m.logins.Keys() { // the least recently used first
		l, _ := m.logins.Peek(k)
		if now.Sub(l.used) <= m.ttl {
			break
		}
		m.logins.Remove(k)
	}
}

// once has ask answer whether k is right, and if not why, for all who want to know at the same time.
func (m *Memory) once(k key, ask func() (bool, string)) (right bool, message string) {
	m.mu.Lock()
	if f := m.asking[k]; f != nil {
		m.mu.Unlock()
		<-f.done // as long as a helper may take
		return f.right, f.message
	}
	f := &flight{done: make(chan struct{})}
	m.asking[k] = f
	m.mu.Unlock()
	defer func() { // whatever happens to ask
		m.mu.Lock()
		delete(m.asking, k)
		m.mu.Unlock()
		close(f.done)
	}()
	f.right, f.message = ask()
	return f.right, f.message
}
