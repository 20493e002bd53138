package wccp2

import (
	"net/netip"
	"time"

	"go.uber.org/zap"
)

// Engine is the cache's side of WCCP as a state machine. It is not safe for
// concurrent use.
type Engine struct {
	cfg    Config
	groups []*group // in the order of Config.Services, IPv4 before IPv6
	v1     *v1Group
	sticky stickyTables

	holds   []string // why nothing is announced; empty when it is
	leaving leaving

	moves      moves
	complaints complaints
	ignored    Ignored
	out        []Action
}

// Action is what the engine wants done: a datagram sent or a line logged.
type Action struct {
	To       netip.AddrPort
	Datagram []byte // nil for a log line

	Line   string // log line; values stand in it as {field}
	Fields []zap.Field
	Loud   bool // log at level 0: an operator has to act
}

// New starts a machine at the time now.
func New(cfg Config, now time.Time) (*Engine, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg}
	for _, s := range cfg.Services {
		e.groups = append(e.groups, newGroups(&e.cfg, s, now)...)
	}
	if cfg.V1 != nil {
		e.v1 = newV1Group(*cfg.V1, now)
	}
	return e, nil
}

// Take returns the actions since the last call, in order.
func (e *Engine) Take() []Action {
	out := e.out
	e.out = nil
	return out
}

// Tick does everything that is due at now.
func (e *Engine) Tick(now time.Time) {
	// The services go out in the reverse order of their lines (FACTS "Timing").
	for i := len(e.groups) - 1; i >= 0; i-- {
		g := e.groups[i]
		e.loseSilent(g, now)
		e.announceDue(g, now)
	}
	for i := len(e.groups) - 1; i >= 0; i-- {
		e.assignDue(e.groups[i], now)
	}
	if e.v1 != nil {
		e.tickV1(now)
	}
	e.watchLeaving(now)
	if due(e.moves.tellAt, now) {
		e.tellMoves()
	}
	e.complaints.forget(now)
}

// Next is when Tick has something to do next; the zero time when nothing is timed.
func (e *Engine) Next() time.Time {
	var next time.Time
	for _, g := range e.groups {
		next = earliest(next, g.next(e.announcing(g)))
	}
	if e.v1 != nil && e.announcingV1() {
		next = earliest(next, e.v1.announceAt)
	}
	return earliest(earliest(next, e.moves.tellAt), e.leaving.next())
}

// Reconfigure goes over to another configuration. Groups that are the same in
// both keep what they know, so that a reload is not seen by routers at all.
func (e *Engine) Reconfigure(cfg Config, now time.Time) error {
	if err := cfg.check(); err != nil {
		return err
	}
	old, oldGroups := e.cfg, e.groups
	e.cfg, e.groups = cfg, nil
	for _, s := range cfg.Services {
		for _, g := range newGroups(&e.cfg, s, now) {
			for _, was := range oldGroups {
				if sameGroup(&old, &e.cfg, s) && was.svc == s && was.v6 == g.v6 {
					g.inherit(was)
				}
			}
			e.groups = append(e.groups, g)
		}
	}
	switch {
	case cfg.V1 == nil:
		e.v1 = nil
	case e.v1 == nil || e.v1.cfg != *cfg.V1:
		e.v1 = newV1Group(*cfg.V1, now)
	}
	return nil
}

func (e *Engine) send(to netip.AddrPort, datagram []byte) {
	e.out = append(e.out, Action{To: to, Datagram: datagram})
}

func (e *Engine) log(line string, fields ...zap.Field) {
	e.out = append(e.out, Action{Line: line, Fields: fields})
}

func (e *Engine) loud(line string, fields ...zap.Field) {
	e.out = append(e.out, Action{Line: line, Fields: fields, Loud: true})
}
