package rewrite

import (
	"context"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"go.uber.org/zap"
)

// Rewriters are the programs of one configuration; nil fields for those that are not run.
type Rewriters struct {
	URL, Location, StoreURL *Rewriter
}

// New starts the programs; they are closed by who starts them.
func New(cfg *conf.Config, start func(helper.Options) *helper.Pool, log *zap.Logger) Rewriters {
	run := func(name string, program []string, children, concurrency int) *Rewriter {
		if len(program) == 0 || children <= 0 {
			return nil
		}
		return &Rewriter{pool: start(helper.Options{Name: name, Program: program, Children: children, Concurrency: max(0, concurrency), Log: log}), name: name, log: log}
	}
	r := Rewriters{
		URL:      run("url_rewriter", cfg.URLRewriteProgram, cfg.URLRewriteChildren, cfg.URLRewriteConcurrency),
		Location: run("location_rewriter", cfg.LocationRewriteProgram, cfg.LocationRewriteChildren, cfg.LocationRewriteConcurrency),
		StoreURL: run("storeurl_rewriter", cfg.StoreURLRewriteProgram, cfg.StoreURLRewriteChildren, cfg.StoreURLRewriteConcurrency),
	}
	if r.URL != nil {
		r.URL.bypass = cfg.RedirectorBypass
	}
	return r
}

// Rewriter is one of the programs.
type Rewriter struct {
	pool   *helper.Pool
	name   string
	bypass bool
	log    *zap.Logger

	mu     sync.Mutex
	warned time.Time
}

// Question is what url_rewrite_program and storeurl_rewrite_program are told.
type Question struct {
	URL    []byte
	Client netip.Addr
	// Name is the client's name, User the user's, Group the urlgroup; "" for unknown.
	Name, User, Method, Group string
}

// Rewrite asks url_rewrite_program. ok is false when the request cannot go on: the program
// cannot be asked, and what it would have blocked must not pass. With redirector_bypass
// requests go on unchanged when others wait already (fact helpers/rw-bypass).
func (r *Rewriter) Rewrite(ctx context.Context, q *Question) (a Answer, ok bool) {
	if r.bypass && r.pool.Waiting() > 0 {
		return Answer{}, true
	}
	line, ok := r.askAbout(ctx, q)
	if !ok {
		return Answer{}, r.bypass
	}
	if a = Understand(line); a.Fault != "" {
		r.complain(a.Fault)
	}
	return a, true
}

// Apply asks url_rewrite_program about a request, and puts the URL it gives into url. The
// one it was asked about is no change, as in 2.6: that much many programs always say. ok is
// false when the request cannot go on.
func (r *Rewriter) Apply(ctx context.Context, q *Question, url *http1.URL, method http1.Method, o *http1.URLOptions) (a Answer, changed, ok bool) {
	a, ok = r.Rewrite(ctx, q)
	if !ok || a.URL == "" || a.URL == string(q.URL) {
		return a, false, ok
	}
	var another http1.URL
	if another.Parse(method, []byte(a.URL), o) != http1.NoFault {
		r.complain("gives " + strconv.Quote(a.URL[:min(len(a.URL), 200)]) + ", which is no URL: the request goes on unchanged")
		return a, false, true
	}
	*url = another
	return a, true, true
}

// Store asks storeurl_rewrite_program, "" for no change.
func (r *Rewriter) Store(ctx context.Context, q *Question) string {
	return r.text(r.askAbout(ctx, q))
}

// Location asks location_rewrite_program about a reply's Location, "" for no change.
func (r *Rewriter) Location(ctx context.Context, location, url []byte, group string) string {
	line := append(append(append([]byte(nil), location...), ' '), url...)
	return r.text(r.ask(ctx, appendWord(line, group)))
}

// text is what an answer puts in the place of what was asked about.
func (r *Rewriter) text(line string, ok bool) string {
	if !ok {
		return ""
	}
	text, fault := UnderstandLocation(line)
	if fault != "" {
		r.complain(fault)
	}
	return text
}

// questions are buffers for lines. The helper's end copies what it writes, in the asker's
// goroutine: once Ask has returned, answered or given up, nobody looks at one any more.
var questions = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

func (r *Rewriter) askAbout(ctx context.Context, q *Question) (string, bool) {
	b := questions.Get().(*[]byte)
	defer questions.Put(b)
	*b = q.append((*b)[:0])
	return r.ask(ctx, *b)
}

func (r *Rewriter) ask(ctx context.Context, question []byte) (string, bool) {
	line, err := r.pool.Ask(ctx, question)
	if err != nil && ctx.Err() == nil {
		r.complain("cannot be asked: " + err.Error())
	}
	return line, err == nil
}

// complain says once a minute what is wrong with the program's answers.
func (r *Rewriter) complain(fault string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.warned) > time.Minute {
		r.warned = now
		r.log.Error("ERROR: {helper} {fault}", zap.String("helper", r.name), zap.String("fault", fault))
	}
}

// append puts the line together.
func (q *Question) append(dst []byte) []byte {
	dst = append(append(dst, q.URL...), ' ')
	dst = q.Client.AppendTo(dst)
	dst = append(dst, '/')
	if q.Name == "" {
		dst = append(dst, '-')
	} else {
		dst = append(dst, q.Name...)
	}
	dst = appendWord(dst, q.User)
	dst = appendWord(dst, q.Method)
	return appendWord(dst, q.Group)
}

// appendWord appends a blank and a word, "-" for none.
func appendWord(dst []byte, word string) []byte {
	if word == "" {
		return append(dst, " -"...)
	}
	return helper.AppendEscaped(append(dst, ' '), word)
}
