package peer

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Status is a peer as it is now, for -k peers.
type Status struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Host string `json:"host"`
	// HTTPPort and ICPPort are those of cache_peer; Protocol is how it is asked: icp,
	// htcp, or none.
	HTTPPort uint16 `json:"http_port"`
	ICPPort  uint16 `json:"icp_port"`
	Protocol string `json:"protocol"`
	// State is up or down, Why what makes it down: connections, silence, monitor,
	// denied.
	State string `json:"state"`
	Why   string `json:"why,omitempty"`
	// RTTMilliseconds is the average time to an answer, 0 for unknown.
	RTTMilliseconds float64 `json:"rtt_ms"`
	// Connections are open, idle ones too, Failures the attempts to connect that failed
	// since one succeeded, Requests those sent to it.
	Connections int    `json:"connections"`
	Failures    int    `json:"failures"`
	Requests    uint64 `json:"requests"`
	Questions   uint64 `json:"questions"`
	Answers     uint64 `json:"answers"`
	Ignored     uint64 `json:"ignored"`
	// ByOpcode counts answers by what they said.
	ByOpcode map[string]uint64 `json:"by_opcode,omitempty"`
	// Heard is when it answered last, zero for never.
	Heard time.Time `json:"heard,omitzero"`
	// DigestObjects is how many objects its digest has, -1 while there is none.
	DigestObjects int `json:"digest_objects"`
	// Members is how many members a multicast group has.
	Members int `json:"members,omitempty"`
}

// Status tells of every peer, in the order of the file.
func (s *Set) Status() []Status {
	list := make([]Status, 0, len(s.list))
	for _, p := range s.list {
		list = append(list, p.status(s.env.now()))
	}
	return list
}

func (p *Peer) status(now time.Time) Status {
	st := Status{
		Name: p.Name, Type: p.Type.String(), Host: p.Host, HTTPPort: p.HTTPPort, ICPPort: p.ICPPort, Protocol: "none", State: "up",
		Connections: int(p.Connections.Load()), Failures: int(p.failures.Load()), Requests: p.requests.Load(), DigestObjects: -1,
	}
	if p.asksAtAll() {
		if st.Protocol = "icp"; p.HTCP {
			st.Protocol = "htcp"
		}
	}
	if d := p.remote.got.Load(); d != nil {
		st.DigestObjects = d.Count
	}
	if p.Type == conf.PeerMulticast {
		st.Members = p.groupSize()
	}
	switch {
	case p.removed():
		st.State, st.Why = "down", "denied"
	case p.failures.Load() >= downAfter:
		st.State, st.Why = "down", "connections"
	case p.unwell.Load():
		st.State, st.Why = "down", "monitor"
	case !p.upAt(now):
		st.State, st.Why = "down", "silence"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	st.RTTMilliseconds = float64(p.life.rtt.Microseconds()) / 1000
	st.Questions, st.Answers, st.Ignored, st.Heard = p.life.questions, p.life.answers, p.life.ignored, p.life.heard
	for opcode, n := range p.life.opcodes {
		if st.ByOpcode == nil {
			st.ByOpcode = map[string]uint64{}
		}
		st.ByOpcode[opcode.String()] = n
	}
	return st
}

// WriteStatus writes peers for people.
func WriteStatus(w io.Writer, list []Status) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "There are no neighbors installed.")
		return err
	}
	for i := range list {
		st := &list[i]
		state := st.State
		if st.Why != "" {
			state += " (" + st.Why + ")"
		}
		fmt.Fprintf(w, "%s %s: %s\n  address %s, HTTP port %d, asked by %s at port %d\n", st.Type, st.Name, state, st.Host, st.HTTPPort, st.Protocol, st.ICPPort)
		fmt.Fprintf(w, "  requests %d, connections %d, failures to connect %d\n", st.Requests, st.Connections, st.Failures)
		fmt.Fprintf(w, "  questions %d, answers %d, ignored %d, round trip %.3f ms\n", st.Questions, st.Answers, st.Ignored, st.RTTMilliseconds)
		for _, name := range slices.Sorted(maps.Keys(st.ByOpcode)) {
			fmt.Fprintf(w, "    %s %d\n", name, st.ByOpcode[name])
		}
		if !st.Heard.IsZero() {
			fmt.Fprintf(w, "  last answer %s\n", st.Heard.UTC().Format(time.RFC3339))
		}
		if st.DigestObjects >= 0 {
			fmt.Fprintf(w, "  digest of %d objects\n", st.DigestObjects)
		}
		if st.Type == "multicast" {
			fmt.Fprintf(w, "  %d members\n", st.Members)
		}
	}
	return nil
}

// WriteStatusJSON writes peers for programs.
func WriteStatusJSON(w io.Writer, list []Status) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(list)
}
