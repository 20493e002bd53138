package external

import (
	"context"
	"strings"
	"sync"
	"time"
	"unsafe"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/hashicorp/golang-lru/v2/simplelru"
	"go.uber.org/zap"
)

// mostAnswers bounds how many answers of one type are kept where squid.conf sets no bound.
const mostAnswers = 100_000

// Types are the external_acl_type lines of a configuration, with their helpers and the
// answers they gave. It implements acl.ExternalLookup.
type Types struct {
	kinds map[*conf.ExternalACL]*kind
}

// kind is one external_acl_type.
type kind struct {
	cfg  *conf.ExternalACL
	pool *helper.Pool
	log  *zap.Logger
	now  func() time.Time

	mu      sync.Mutex
	answers *simplelru.LRU[string, *answer]
	asking  map[string]*flight
	failed  time.Time // when it was last said that the helper fails
}

// answer is what the helper said, and when.
type answer struct {
	outcome acl.Ternary
	said    *acl.Told
	at      int64 // Unix seconds: 2.6 counts in whole ones
}

// flight is a question on its way.
type flight struct {
	done   chan struct{}
	answer *answer // nil when there is none
}

// New starts the helpers; they are closed by who starts them.
func New(types []*conf.ExternalACL, start func(helper.Options) *helper.Pool, log *zap.Logger, now func() time.Time) *Types {
	t := &Types{kinds: make(map[*conf.ExternalACL]*kind, len(types))}
	for _, cfg := range types {
		size := cfg.CacheSize
		if size <= 0 || size > mostAnswers {
			size = mostAnswers
		}
		k := &kind{cfg: cfg, log: log, now: now, asking: map[string]*flight{}}
		k.answers, _ = simplelru.NewLRU[string, *answer](size, nil)
		k.pool = start(helper.Options{Name: cfg.Name, Program: cfg.Program, Children: cfg.Children,
			Concurrency: max(0, cfg.Concurrency), Secret: true, Log: log})
		t.kinds[cfg] = k
	}
	return t
}

// Match implements acl.ExternalLookup. A helper that cannot be asked lets nobody in: the
// outcome is acl.Missing then.
func (t *Types) Match(ctx context.Context, use *conf.ExternalUse, f *acl.Facts, known *acl.Told) (acl.Ternary, *acl.Told) {
	k := t.kinds[use.Type]
	if k == nil {
		return acl.Missing, nil
	}
	var space [256]byte
	question := k.question(ctx, space[:0], use, f, known)
	a := k.lookUp(ctx, question)
	if a == nil {
		return acl.Missing, nil
	}
	return a.outcome, a.said
}

// Remembered implements acl.ExternalLookup. An answer that is to be renewed counts as long
// as that is under way, or the helpers are busy.
func (t *Types) Remembered(ctx context.Context, use *conf.ExternalUse, f *acl.Facts, known *acl.Told) (acl.Ternary, *acl.Told) {
	k := t.kinds[use.Type]
	if k == nil {
		return acl.Unknown, nil
	}
	var space [256]byte
	question := string(k.question(ctx, space[:0], use, f, known))
	k.mu.Lock()
	defer k.mu.Unlock()
	a, _ := k.answers.Get(question)
	if fresh, soonOld := k.age(a); !fresh || soonOld && k.asking[question] == nil && !k.busy() {
		return acl.Unknown, nil
	}
	return a.outcome, a.said
}

// lookUp gives the answer to a question, nil when there is none.
func (k *kind) lookUp(ctx context.Context, question []byte) *answer {
	k.mu.Lock()
	a, _ := k.answers.Get(unsafe.String(unsafe.SliceData(question), len(question)))
	fresh, soonOld := k.age(a)
	if fresh && !soonOld {
		k.mu.Unlock()
		return a
	}
	key := string(question)
	f, asked := k.asking[key], true
	if f == nil && !(fresh && k.busy()) {
		f, asked = &flight{done: make(chan struct{})}, false
		k.asking[key] = f
	}
	k.mu.Unlock()
	switch {
	case fresh && !asked: // within grace: this request need not wait for the new answer
		go k.ask(ctx, key, f)
		return a
	case fresh:
		return a
	case !asked:
		k.ask(ctx, key, f)
		return f.answer
	}
	select {
	case <-f.done:
		return f.answer
	case <-ctx.Done():
		return nil
	}
}

// age reports whether an answer still holds, and whether so little of its time is left that
// it is to be renewed.
func (k *kind) age(a *answer) (fresh, soonOld bool) {
	if a == nil {
		return false, false
	}
	ttl := k.cfg.TTL
	if a.outcome != acl.Yes {
		ttl = k.cfg.NegativeTTL
	}
	age := k.now().Unix() - a.at
	if age > int64(ttl) {
		return false, false
	}
	return true, k.cfg.Grace > 0 && age > int64(ttl)*int64(100-k.cfg.Grace)/100
}

// busy reports whether the helpers have more to do than they can: then answers within grace
// are not renewed.
func (k *kind) busy() bool { return k.pool.Waiting() > k.cfg.Children }

// ask asks the helper for all who wait for the flight. It is not given up when the client
// of this request is.
func (k *kind) ask(ctx context.Context, key string, f *flight) {
	line, err := k.pool.Ask(context.WithoutCancel(ctx), []byte(key))
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.asking, key)
	if err != nil {
		k.complain(err)
	} else {
		f.answer = understand(line, k.cfg.QuoteShell)
		f.answer.at = k.now().Unix()
		k.answers.Add(key, f.answer)
	}
	close(f.done)
}

// complain says once a minute that there are no answers. The caller holds k.mu.
func (k *kind) complain(err error) {
	if now := k.now(); now.Sub(k.failed) > time.Minute {
		k.failed = now
		k.log.Error("ERROR: external ACL type {type}: {error}: requests are denied", zap.String("type", k.cfg.Name), report.Error(err))
	}
}

// understand takes an answer apart: OK or anything else, and words KEY=VALUE. Values have
// percent escapes where questions have them.
func understand(line string, quoteShell bool) *answer {
	word, rest := helper.Word(strings.TrimLeft(line, " \t"))
	a := &answer{outcome: acl.No}
	if word == "OK" {
		a.outcome = acl.Yes
	}
	var said acl.Told
	for key, v := range helper.Pairs(rest) {
		if !quoteShell {
			v = helper.Unescape(v)
		}
		switch key {
		case "user":
			if isName(v) {
				said.User = v
			}
		case "password", "passwd":
			said.Password = v
		case "message", "error":
			said.Message = v
		case "log":
			said.Log = v
		case "tag":
			said.Tag = v
		}
	}
	if said != (acl.Told{}) {
		a.said = &said
	}
	return a
}

// isName reports whether a text can be a user's name: control characters are in none.
func isName(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] == 0x7f {
			return false
		}
	}
	return true
}
