package refreshcheck

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// Checker is the program of one configuration.
type Checker struct {
	pool   *helper.Pool
	format []part
	log    *zap.Logger

	mu     sync.Mutex
	warned time.Time
}

// part is one code of the format.
type part struct {
	code  string
	field string // of %RES{field}
}

// Question is what the program may be told of a stored reply.
type Question struct {
	URI   []byte
	Reply *http1.Fields
	Age   int64 // seconds
}

// Answer is what it says. Fields are header lines, each with its end, that replace those
// of the same names.
type Answer struct {
	Fresh   bool
	Seconds int64
	Fields  string
}

// New starts the program; it is closed by who starts it. Without one the Checker is nil.
func New(cfg *conf.RefreshCheck, start func(helper.Options) *helper.Pool, log *zap.Logger) *Checker {
	if len(cfg.Program) == 0 || cfg.Children <= 0 {
		return nil
	}
	c := &Checker{log: log, pool: start(helper.Options{Name: "refresh_check", Program: cfg.Program, Children: cfg.Children,
		Concurrency: max(0, cfg.Concurrency), Log: log})}
	for _, word := range cfg.Formats {
		p := part{code: word}
		if name, ok := strings.CutPrefix(word, "%RES{"); ok {
			p = part{"%RES", strings.TrimSuffix(name, "}")}
		}
		c.format = append(c.format, p)
	}
	return c
}

// Ask asks about a stale object. Of a nil Checker the answer is that it is stale.
func (c *Checker) Ask(ctx context.Context, q *Question) Answer {
	if c == nil {
		return Answer{}
	}
	line, err := c.pool.Ask(ctx, c.append(nil, q))
	if err != nil {
		return Answer{}
	}
	a, err := Understand(line)
	if err != nil {
		c.complain(err)
	}
	return a
}

func (c *Checker) append(dst []byte, q *Question) []byte {
	for i, p := range c.format {
		if i > 0 {
			dst = append(dst, ' ')
		}
		value := ""
		switch p.code {
		case "%CACHE_URI":
			value = string(q.URI)
		case "%AGE":
			value = strconv.FormatInt(q.Age, 10)
		case "%RES":
			v, _ := q.Reply.AppendNamed(nil, p.field)
			value = string(v)
		}
		if value == "" {
			dst = append(dst, '-')
			continue
		}
		dst = helper.AppendEscaped(dst, value)
	}
	return dst
}

// complaints is how often the log is told of a program that says nonsense.
const complaints = time.Minute

func (c *Checker) complain(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.warned) > complaints {
		c.warned = now
		c.log.Error("ERROR: external_refresh_check {error}", report.Error(err))
	}
}

// maxFreshness bounds what a program can say, in seconds: a year (RFC 9111 section 1.2.2
// has no more than 2^31).
const maxFreshness = 365 * 24 * 3600

// Understand takes an answer apart. One with a mistake in it means that the object is stale.
func Understand(line string) (Answer, error) {
	var a Answer
	word, rest := helper.Word(line)
	switch word {
	case "STALE":
		return a, nil
	case "FRESH":
		a.Fresh = true
	default:
		return a, fmt.Errorf("says neither FRESH nor STALE")
	}
	for key, value := range helper.Pairs(rest) {
		value = helper.Unescape(value)
		name, isField := strings.CutPrefix(key, "res{")
		switch {
		case key == "freshness":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 {
				return Answer{}, fmt.Errorf("gives a freshness that is no number of seconds")
			}
			a.Seconds = min(n, maxFreshness)
		case isField:
			name = strings.TrimSuffix(name, "}")
			if !isToken(name) || strings.ContainsAny(value, "\r\n\x00") {
				return Answer{}, fmt.Errorf("gives a header field that cannot be one")
			}
			a.Fields += name + ": " + value + "\r\n"
		}
	}
	return a, nil
}

func isToken(s string) bool {
	for i := range len(s) {
		if !http1.IsTokenChar(s[i]) {
			return false
		}
	}
	return s != ""
}
