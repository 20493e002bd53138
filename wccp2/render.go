package wccp2

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// WriteText renders the status for people, one line for each pairing of service
// and router, the caches each sees below it.
func (s Status) WriteText(w io.Writer) error {
	p := &printer{w: w}
	for _, h := range s.Holds {
		p.line("nothing is announced: %s", h)
	}
	if s.Leaving {
		p.line("leaving")
	}
	if len(s.Services) > 0 {
		p.line("%-14s %-15s %-15s %-9s %9s %7s %s", "service", "router", "identity", "state", "buckets", "seen", "packets")
	}
	for _, g := range s.Services {
		for _, r := range g.Routers {
			p.line("%-14s %-15s %-15s %-9s %9s %7s sent %d HERE_I_AM %d REDIRECT_ASSIGN, got %d I_SEE_YOU %d REMOVAL_QUERY, dropped %d",
				g.Service, r.Router, r.Identity, r.State, share(r.Buckets, r.Of), ago(r.LastSeen),
				r.Packets.HereIAm, r.Packets.Assignments, r.Packets.ISeeYou, r.Packets.Queries, r.Packets.Dropped)
			if r.Refusal != "" {
				p.line("    %s", r.Refusal)
			}
			for _, c := range r.Caches {
				p.line("    cache %s%s", c.Cache, marks(g, r, c))
			}
		}
	}
	if v := s.V1; v != nil {
		p.line("%-14s %-15s %-15s %-9s %9s %7s sent %d HERE_I_AM %d ASSIGN_BUCKETS, got %d I_SEE_YOU, dropped %d",
			versionOne, v.Router, v.Router, v.State, share(v.Buckets, 256), ago(v.LastSeen),
			v.Packets.HereIAm, v.Packets.Assignments, v.Packets.ISeeYou, v.Packets.Dropped)
	}
	if m := s.Moves; m != (Moves{}) {
		p.line("buckets moved away: %d, with %d transfers running", m.Buckets, m.Transfers)
	}
	if i := s.Ignored; i != (Ignored{}) {
		p.line("ignored packets: %d from unknown sources, %d malformed, %d of no use to a cache, %d of unknown services",
			i.UnknownSource, i.Malformed, i.WrongMessage, i.UnknownService)
	}
	return p.err
}

// WriteJSON renders the status for programs.
func (s Status) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(s)
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func share(n, of int) string {
	if n < 0 {
		return fmt.Sprintf("?/%d", of)
	}
	return fmt.Sprintf("%d/%d", n, of)
}

func ago(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return fmt.Sprintf("%.1fs", d.Seconds())
}

// marks says what is special about a cache in a view.
func marks(g ServiceStatus, r RouterStatus, c CacheStatus) string {
	s := ""
	if c.Weight >= 0 {
		s = fmt.Sprintf(" weight %d", c.Weight)
	}
	if c.Cache == r.Local {
		s += " (this one)"
		if g.Designated {
			s += " (designated)"
		}
	}
	if c.Cache == r.KeyAddr {
		s += fmt.Sprintf(" (made assignment %d)", r.KeyID)
	}
	return s
}
