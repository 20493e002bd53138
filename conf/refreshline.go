package conf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/conf/ere"
)

var refreshFlags = []struct {
	name  string
	field func(*RefreshPattern) *bool
}{
	{"override-expire", func(p *RefreshPattern) *bool { return &p.OverrideExpire }},
	{"override-lastmod", func(p *RefreshPattern) *bool { return &p.OverrideLastmod }},
	{"reload-into-ims", func(p *RefreshPattern) *bool { return &p.ReloadIntoIMS }},
	{"ignore-reload", func(p *RefreshPattern) *bool { return &p.IgnoreReload }},
	{"ignore-no-cache", func(p *RefreshPattern) *bool { return &p.IgnoreNoCache }},
	{"ignore-private", func(p *RefreshPattern) *bool { return &p.IgnorePrivate }},
	{"ignore-auth", func(p *RefreshPattern) *bool { return &p.IgnoreAuth }},
}

// refreshExtensions are the options 2.6 does not know that carry no value, with
// the release they came with.
var refreshExtensions = []struct {
	name, since string
	field       func(*RefreshPattern) *bool
}{
	{"ignore-stale-while-revalidate", "2.7", func(p *RefreshPattern) *bool { return &p.IgnoreStaleWhileRevalidate }},
	{"refresh-ims", "3.0", func(p *RefreshPattern) *bool { return &p.RefreshIMS }},
	{"ignore-no-store", "3.0", func(p *RefreshPattern) *bool { return &p.IgnoreNoStore }},
	{"ignore-must-revalidate", "3.1", func(p *RefreshPattern) *bool { return &p.IgnoreMustRevalidate }},
}

// refreshTimes are the options of 2.7 that carry a number of minutes.
var refreshTimes = []struct {
	name  string
	field func(*RefreshPattern) *time.Duration
}{
	{"stale-while-revalidate", func(p *RefreshPattern) *time.Duration { return &p.StaleWhileRevalidate }},
	{"max-stale", func(p *RefreshPattern) *time.Duration { return &p.MaxStale }},
	{"negative-ttl", func(p *RefreshPattern) *time.Duration { return &p.NegativeTTL }},
}

func refreshPatterns(field func(*Config) *[]*RefreshPattern) kind {
	return lines("[-i] regex min percent% max [option…]", field, func(r *reader, add func(*RefreshPattern)) error {
		p, err := r.refreshPattern()
		if p != nil {
			add(p)
		}
		return err
	}, func(_ *dumper, p *RefreshPattern) []string { return p.words() })
}

// refreshPattern reads one line. A pattern the C library refuses is told and the
// line skipped; unknown options are told one by one (facts refresh_*).
func (r *reader) refreshPattern() (*RefreshPattern, error) {
	p := &RefreshPattern{Pos: r.namePos(), StaleWhileRevalidate: -1, MaxStale: -1, NegativeTTL: -1}
	w, err := r.need("the pattern")
	if err != nil {
		return nil, err
	}
	if w == "-i" || w == "+i" {
		p.Regex.ICase = w == "-i"
		if w, err = r.need("the pattern"); err != nil {
			return nil, err
		}
	}
	p.Regex.Pattern, p.Regex.Pos = w, r.pos()
	value := aclValue{text: w, pos: r.pos(), span: r.here()}
	minutes := func(into *time.Duration) error {
		n, err := r.integer()
		// 2.6 counts seconds in 32 bits and wraps; more than they hold means "for good" here.
		*into = time.Duration(max(math.MinInt32/60, min(math.MaxInt32/60, n))) * time.Minute
		return err
	}
	if err := minutes(&p.Min); err != nil {
		return nil, err
	}
	if p.Percent, err = r.percent(); err != nil {
		return nil, err
	}
	if err := minutes(&p.Max); err != nil {
		return nil, err
	}
	p.Percent, p.Max = max(p.Percent, 0), max(p.Max, 0)
	for o := range each(r.word) {
		r.refreshOption(p, o)
	}
	if err := ere.Check(p.Regex.Pattern, p.Regex.ICase); err != nil {
		r.sayWhere()
		r.say("refreshAddToList: Invalid regular expression '%s': %v", p.Regex.Pattern, err)
		r.warnValue(value, "regex-skipped", fmt.Sprintf("the line is skipped: %v", err), "", "")
		return nil, nil
	}
	r.lintRegex(value)
	return p, nil
}

// percent reads a number; the percent sign behind it may be left out.
func (r *reader) percent() (int, error) {
	w, ok := r.word()
	if ok && strings.HasSuffix(w, "%") {
		if v, n := cLong(w, 0); n > 0 && n == len(w)-1 && int64(int32(v)) == v {
			return int(v), nil
		}
	}
	if ok {
		r.off, r.next = r.wordOff, r.next-1
	}
	return r.integer()
}

func (r *reader) refreshOption(p *RefreshPattern, o string) {
	var names []string
	for _, f := range refreshFlags {
		if names = append(names, f.name); o == f.name {
			*f.field(p) = true
			return
		}
	}
	for _, f := range refreshExtensions {
		if o == f.name {
			*f.field(p) = true
			r.extension("refresh_pattern:"+o, "refresh_pattern option "+o, "It came with "+f.since+"; 2.6 reports it and goes on without it.")
		}
	}
	for _, t := range refreshTimes {
		name, value, ok := strings.Cut(o, "=")
		if v, n := cLong(value, 10); ok && name == t.name && n > 0 && n == len(value) && v >= 0 {
			*t.field(p) = saturate(float64(v) * 60)
			r.extension("refresh_pattern:"+name+"=", "refresh_pattern option "+name, "It came with 2.7; 2.6 reports it and goes on without it.")
		}
	}
	r.say("redreshAddToList: Unknown option '%s': %s", p.Regex.Pattern, o)
	if len(r.b.report.Extensions) == 0 || r.b.report.Extensions[len(r.b.report.Extensions)-1].Pos != r.pos() {
		r.warn("refresh-option", fmt.Sprintf("unknown option %q is ignored", o), "", nearest(o, names))
	}
}

func (p *RefreshPattern) words() []string {
	var list []string
	if p.Regex.ICase {
		list = append(list, "-i")
	}
	list = append(list, p.Regex.Pattern, strconv.FormatInt(int64(p.Min/time.Minute), 10),
		strconv.Itoa(p.Percent)+"%", strconv.FormatInt(int64(p.Max/time.Minute), 10))
	for _, f := range refreshFlags {
		if *f.field(p) {
			list = append(list, f.name)
		}
	}
	for _, f := range refreshExtensions {
		if *f.field(p) {
			list = append(list, f.name)
		}
	}
	for _, t := range refreshTimes {
		if v := *t.field(p); v >= 0 {
			list = append(list, fmt.Sprintf("%s=%d", t.name, v/time.Minute))
		}
	}
	return list
}
