package auth

import (
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// shortcuts is who was accepted at an address last (authenticate_ip_shortcircuit_ttl).
type shortcuts struct {
	mu   sync.Mutex
	user *simplelru.LRU[netip.Addr, shortcut]
}

type shortcut struct {
	user string
	at   time.Time
}

// Remember notes that a user was accepted at an address.
func (a *Authenticator) Remember(addr netip.Addr, user string) {
	s := &a.memory.shortcuts
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.user == nil {
		s.user, _ = simplelru.NewLRU[netip.Addr, shortcut](mostUsers, nil)
	}
	s.user.Add(addr, shortcut{user, a.now()})
}

// Recall accepts a request without credentials as the user who was accepted at its address
// within ttl.
func (a *Authenticator) Recall(l *Login, addr netip.Addr, ttl time.Duration) {
	s := &a.memory.shortcuts
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.user == nil {
		return
	}
	if known, ok := s.user.Get(addr); ok && a.now().Sub(known.at) < ttl {
		l.State, l.User = Accepted, known.user
	}
}
