package auth

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// mostAddresses bounds how many addresses are remembered of one user.
const mostAddresses = 1000

// addresses is where users came from (max_user_ip).
type addresses struct {
	mu   sync.Mutex
	from *simplelru.LRU[string, []seen]
}

// seen is when a user was last seen at an address.
type seen struct {
	addr netip.Addr
	at   time.Time
}

func (a *addresses) tooMany(user string, addr netip.Addr, limit int, strict bool, ttl time.Duration, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.from == nil {
		a.from, _ = simplelru.NewLRU[string, []seen](mostUsers, nil)
	}
	list, _ := a.from.Get(user)
	old := now.Unix() - int64(ttl/time.Second) // in whole seconds, as 2.6
	list = slices.DeleteFunc(list, func(s seen) bool { return s.addr == addr || s.at.Unix() < old })
	list = append(list, seen{addr, now})
	if len(list) > mostAddresses {
		list = slices.Delete(list, 0, 1)
	}
	tooMany := len(list) > limit
	switch {
	case tooMany && strict:
		list = list[:len(list)-1]
	case tooMany:
		list = nil
	}
	a.from.Add(user, list)
	return tooMany
}
