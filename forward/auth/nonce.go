package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// nonces are what Digest clients hash their passwords with. A nonce says itself when it was
// issued and that this process did, so that nothing is kept of one that nobody has used.
type nonces struct {
	secret [32]byte
	began  time.Time // sweeps are counted from here

	mu   sync.Mutex
	used *simplelru.LRU[string, *nonceUse]
	// lost is when the newest nonce was issued of which it is not known any more whether it
	// was used: none up to then is taken.
	lost time.Time
}

// nonceUse is what is known of a nonce that was used.
type nonceUse struct {
	issued time.Time
	user   string    // who used it first
	last   int       // the last count
	dead   bool      // a count came again
	over   time.Time // when it was used more often than it may
}

// nonceRules are those of squid.conf.
type nonceRules struct {
	interval, duration time.Duration
	count              int
	check, strict      bool
}

// nonceSize is time, random octets and what only this process can have made of them.
const nonceSize = 8 + 8 + 16

func (n *nonces) init(secret [32]byte) {
	n.secret = secret
	n.began = time.Now()
	n.used, _ = simplelru.NewLRU(mostUsers, func(_ string, u *nonceUse) {
		if u.issued.After(n.lost) {
			n.lost = u.issued
		}
	})
}

// issue appends a new nonce.
func (n *nonces) issue(dst []byte, now time.Time) []byte {
	var raw [nonceSize]byte
	binary.BigEndian.PutUint64(raw[:], uint64(now.UnixNano()))
	rand.Read(raw[8:16])
	n.sign(raw[:])
	return base64.StdEncoding.AppendEncode(dst, raw[:])
}

func (n *nonces) sign(raw []byte) {
	mac := hmac.New(sha256.New, n.secret[:])
	mac.Write(raw[:16])
	copy(raw[16:], mac.Sum(nil))
}

// issued reports when a nonce was issued, and whether it is one of ours.
func (n *nonces) issued(nonce string) (time.Time, bool) {
	raw, err := base64.StdEncoding.DecodeString(nonce)
	if err != nil || len(raw) != nonceSize {
		return time.Time{}, false
	}
	var signed [nonceSize]byte
	copy(signed[:], raw[:16])
	n.sign(signed[:])
	return time.Unix(0, int64(binary.BigEndian.Uint64(raw))), hmac.Equal(signed[:], raw)
}

// lastSweep is when nonces were last looked through. As in 2.6 one lives until then, however
// old it is and however often it was used.
func (n *nonces) lastSweep(now time.Time, every time.Duration) time.Time {
	since := now.Sub(n.began)
	switch {
	case every <= 0:
		return now
	case since < 0:
		return n.began.Add(-every)
	}
	return now.Add(-(since % every))
}

// valid reports whether a user may still use a nonce, and whether it is foreign: it
// belongs to who used it first.
func (n *nonces) valid(nonce, user string, now time.Time, r nonceRules) (ok, foreign bool) {
	issued, ours := n.issued(nonce)
	sweep := n.lastSweep(now, r.interval)
	if !ours || issued.Add(r.duration).Before(sweep) {
		return false, false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	u, known := n.used.Get(nonce)
	if !known {
		return issued.After(n.lost), false
	}
	if u.user != user {
		return false, true
	}
	return !u.dead && (u.over.IsZero() || !u.over.Before(sweep)), false
}

// use counts one use of a valid nonce. A count that does not grow is a replay, and kills it.
func (n *nonces) use(nonce, user string, count int, now time.Time, r nonceRules) (used int, ok bool) {
	issued, _ := n.issued(nonce)
	n.mu.Lock()
	defer n.mu.Unlock()
	u, known := n.used.Get(nonce)
	if !known {
		n.drop(n.lastSweep(now, r.interval).Add(-r.duration))
		if !issued.After(n.lost) {
			return 0, false
		}
		u = &nonceUse{issued: issued, user: user}
		n.used.Add(nonce, u)
	}
	switch {
	case u.dead, u.user != user:
		return 0, false
	case !r.check:
		u.last++
	case count <= u.last, r.strict && count != u.last+1:
		u.dead = true
		return 0, false
	default:
		u.last = count
	}
	if u.last > r.count && u.over.IsZero() {
		u.over = now
	}
	return u.last, true
}

// drop takes out what was issued before a time: such nonces say themselves that they are too
// old. A few at a time, as many as can come in.
func (n *nonces) drop(before time.Time) {
	for range 2 {
		nonce, u, ok := n.used.GetOldest()
		if !ok || !u.issued.Before(before) {
			return
		}
		lost := n.lost
		n.used.Remove(nonce)
		n.lost = lost
	}
}
