package peers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Ports and addresses of every recording.
const (
	proxyHTTP, proxyICP, proxyHTCP = 23128, 23130, 24827
	peerHTTP, peerICP, peerHTCP    = 28080, 28130, 28827
	originAt, originPort           = "127.0.0.200", 28000
	namesAt                        = "127.0.0.53"
	askerAt                        = "127.0.0.66"
)

// scenario is one file of testdata/peer.
type scenario struct {
	Name, About string
	Conf        []string
	Files       map[string]string
	Peers       map[string]*neighbour
	Steps       []step
	Want        outcome
	// OneSecond: the first steps belong into the same second of the clock, so they begin
	// with one.
	OneSecond bool `json:"one_second"`
}

// neighbour is a scripted one.
type neighbour struct {
	Addr      string
	ICP       rules
	HTCP      rules
	HTTP      rules
	ICPPort   int  `json:"icp_port"`
	ICPListen bool `json:"icp_listen"`
	Digest    *digestSpec
	// Background: requests whose URL has this are the proxy's own.
	Background string
}

// rules are looked through for the first that fits: a word, a rule, or a list.
type rules []rule

type rule struct {
	Reply, Match, URL, From, Words, Raw, Flags   string
	Opdata                                       *string
	Delay, Copies, Length, Version, Response, F1 *int
	MsgidPlus                                    int `json:"msgid_plus"`
	Opt                                          uint32
	Major                                        int
	Detail                                       []string
}

func (r *rules) UnmarshalJSON(b []byte) error {
	var word string
	if json.Unmarshal(b, &word) == nil {
		*r = rules{{Reply: word}}
		return nil
	}
	var one rule
	if json.Unmarshal(b, &one) == nil {
		*r = rules{one}
		return nil
	}
	var many []json.RawMessage
	if err := json.Unmarshal(b, &many); err != nil {
		return err
	}
	for _, m := range many {
		var part rules
		if err := part.UnmarshalJSON(m); err != nil {
			return err
		}
		*r = append(*r, part...)
	}
	return nil
}

// of gives the rule for a text, nil for none.
func (r rules) of(text string) *rule {
	for i := range r {
		if strings.Contains(text, r[i].Match) {
			return &r[i]
		}
	}
	return nil
}

// digestSpec is a digest a neighbour gives.
type digestSpec struct {
	Members                          []string
	Capacity, Status, Truncate, Fill *int
	Over                             map[string]uint32
	Close                            bool
}

// step is one of a scenario's.
type step struct {
	Get, Method, Body, HTTP, From, To, Peer string
	Headers                                 []string
	ICP, HTCP                               *packet
	Pause, Wait, Settle                     int
	All, Up, Down                           bool
	AnySource                               bool                       `json:"any_source"`
	Set                                     map[string]json.RawMessage // rules of a neighbour, by protocol
}

// packet is one that is sent to the proxy.
type packet struct {
	Op                      opcode
	URL, Hex, Flags, Reason string
	Reqnum, Opt, Msgid      *uint32
	Version, F1, RR, Minor  *int
	Spec                    []string
}

// opcode is a name, or a number that has none.
type opcode string

func (o *opcode) UnmarshalJSON(b []byte) error {
	*o = opcode(strings.Trim(string(b), `"`))
	return nil
}

// outcome is what happened, in 2.6 or now.
type outcome struct {
	Started bool     `json:"started"`
	Steps   []seen   `json:"steps"`
	Access  []string `json:"access"`
}

type seen struct {
	Status  int                 `json:"status,omitempty"`
	Body    string              `json:"body,omitempty"`
	XCache  string              `json:"x_cache,omitempty"`
	Has     []string            `json:"has,omitempty"`
	Replies []string            `json:"replies,omitempty"`
	Queries map[string][]string `json:"queries,omitempty"`
	Asked   []string            `json:"asked,omitempty"`
}

const data = "../../../testdata/peer"

func load(t testing.TB, file string) *scenario {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := new(scenario)
	if err := json.Unmarshal(b, s); err != nil {
		t.Fatalf("%s: %v", filepath.Base(file), err)
	}
	for i, name := range names(s) {
		if p := s.Peers[name]; p.Addr == "" {
			p.Addr = "127.0.0." + string([]byte{'1', byte('1' + i)})
		}
	}
	return s
}

// pauses is how long the scenario waits in all, in milliseconds.
func (s *scenario) pauses() (ms int) {
	for _, st := range s.Steps {
		ms += st.Pause
	}
	return ms
}

// names are the neighbours' in the order of their numbers: p1, p2, …
func names(s *scenario) (list []string) {
	for _, n := range []string{"p1", "p2", "p3", "p4", "p5", "p6"} {
		if s.Peers[n] != nil {
			list = append(list, n)
		}
	}
	return list
}
