package report

import (
	"bytes"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// SectionKey is the name of the field by which a logger belongs to a debug section of
// 2.6 (debug_options): a core that knows sections takes it out of what it writes.
const SectionKey = "section"

// Loud is a core that knows the highest of 2.6's levels at which any section of its log
// writes: what is above that needs no other look.
type Loud interface {
	Loudest() *atomic.Int32
}

// Section is one debug section. On costs a look at a number, so that lines nobody
// asked for cost nothing else. The zero value says nothing.
type Section struct {
	log     *zap.Logger
	core    zapcore.Core  // log's
	loudest *atomic.Int32 // of core, anything where that does not know; nil for nothing
	flood   *flood
}

// newSection is the section of a number.
func newSection(log *zap.Logger, number int, flood *flood) Section {
	log = log.With(zap.Int(SectionKey, number))
	s := Section{log: log, core: log.Core(), flood: flood, loudest: &unknown}
	if loud, ok := s.core.(Loud); ok {
		s.loudest = loud.Loudest()
	}
	return s
}

// NewSection is a section of its own, for a room that is not handed Sections.
func NewSection(log *zap.Logger, number int) Section { return newSection(log, number, new(flood)) }

// unknown is the loudest level of a core that does not know it.
var unknown atomic.Int32

func init() { unknown.Store(math.MaxInt32) }

// level is the zap level of one of 2.6's, from 1 up.
func level(n int) zapcore.Level { return zapcore.Level(1 - n) }

// On reports whether lines of a level are written.
func (s Section) On(n int) bool {
	return s.loudest != nil && n <= int(s.loudest.Load()) && s.enabled(n)
}

// enabled asks the core. It is no part of On, which is short enough to become a part of
// those who ask.
//
//go:noinline
func (s Section) enabled(n int) bool { return s.core != nil && s.core.Enabled(level(n)) }

// Say writes a line of a level, which names its fields in braces (see AppendLine). Ask
// On first where the fields cost something.
func (s Section) Say(n int, message string, fields ...zap.Field) {
	if s.On(n) {
		s.log.Log(level(n), message, fields...)
	}
}

// Traffic writes a line of level 1 about what somebody sent. Strangers cause these, so
// there are so many a second and no more; how many were left out is said.
func (s Section) Traffic(message string, fields ...zap.Field) {
	if !s.On(1) {
		return
	}
	left, ok := s.flood.may(time.Now())
	if left > 0 {
		s.log.Info("{lines} lines about bad traffic were left out", zap.Int("lines", left))
	}
	if ok {
		s.log.Info(message, fields...)
	}
}

// trafficLines is how many lines about bad traffic are written in a second.
const trafficLines = 50

// flood counts lines about bad traffic.
type flood struct {
	mu     sync.Mutex
	second int64
	lines  int
	left   int
}

// may reports whether a line may be written, and how many were not, once.
func (f *flood) may(now time.Time) (left int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := now.Unix(); s != f.second {
		f.second, f.lines = s, 0
		left, f.left = f.left, 0
	}
	if f.lines++; f.lines > trafficLines {
		f.left++
		return left, false
	}
	return left, true
}

// Sections are those that have lines, each named after what 2.6 says in it.
type Sections struct {
	Comm    Section // 5: connections
	HTTP    Section // 11: heads of the server side, and what is wrong with replies
	Forward Section // 17: attempts and their outcomes
	Store   Section // 20: what the store answers, and what it takes
	URL     Section // 23: what is wrong with URLs
	ACL     Section // 28: every comparison
	Client  Section // 33: the client side, access decisions
	Peers   Section // 44: next hops
	Fields  Section // 55: what is wrong with header fields
	DNS     Section // 78: questions and answers
}

// NewSections makes them for a logger.
func NewSections(log *zap.Logger) (s Sections) {
	f := new(flood)
	for _, of := range []struct {
		to     *Section
		number int
	}{{&s.Comm, 5}, {&s.HTTP, 11}, {&s.Forward, 17}, {&s.Store, 20}, {&s.URL, 23}, {&s.ACL, 28}, {&s.Client, 33}, {&s.Peers, 44}, {&s.Fields, 55}, {&s.DNS, 78}} {
		*of.to = newSection(log, of.number, f)
	}
	return s
}

// Lines writes a head, a line for each of its lines.
func Lines(s Section, n int, what string, head []byte) {
	for len(head) > 0 {
		var line []byte
		if line, head, _ = bytes.Cut(head, []byte{'\n'}); len(line) < 2 {
			return // the body is behind
		}
		s.Say(n, what+"{line}", zap.ByteString("line", bytes.TrimSuffix(line, []byte{'\r'})))
	}
}
