package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// scenario is one scripted exchange with its recording.
type scenario struct {
	Name       string
	Why        string
	Conf       []string
	Files      map[string]string
	Origins    map[string]*originSpec
	DNS        map[string]string
	Steps      []step
	Logs       []string
	Fresh      bool
	Stop       bool
	Starts     *bool
	Copy       *bool
	Reason     string
	Settle     int // milliseconds before the logs are read
	Slack      *int
	AnyOrder   bool         `json:"any_order"`
	Ignore     []string     // keys of origin records to leave out
	ElapsedMS  [][]*float64 `json:"elapsed_ms"`
	OneSecond  bool         `json:"one_second"` // the steps belong into the same second of the clock
	MaskSize   bool         `json:"mask_size"`
	LogMask    [][2]string  `json:"log_mask"`
	ErrorMask  [][2]string  `json:"error_mask"`
	Custom     bool         `json:"custom_error"`
	KeepLogs   bool         `json:"logs_keep_all"`
	Observed   map[string]any
	area, file string
}

// step is one step; which field is set says of which kind it is. Kinds that
// share a step (origin behaviours and a client) are done together.
type step struct {
	Origin  json.RawMessage
	Wait    *float64
	File    map[string]string
	Conf    []string
	Signal  string
	K       string
	Restart any
	Exit    *float64
	ICP     *icpQuery
	UDP     string
	Hex     string
	Mv      []string
	Rm      string
	Ls      string

	Conn    string
	Port    string
	From    string
	Send    *string
	Read    any
	Do      []operation
	Timeout *float64
	Method  string
	Methods []string
	Opaque  bool
	Markers []string
	End     *bool
	RcvBuf  int
}

// pause is how long a step rests by itself.
func (s *step) pause() time.Duration {
	if ms, ok := s.Restart.(float64); ok && ms != 1 {
		return milliseconds(ms)
	}
	if s.Wait != nil {
		return milliseconds(*s.Wait)
	}
	return 0
}

// operation is one action of a client on its connection.
type operation struct {
	Send  *string
	Pause *float64
	Read  any
	Fin   bool
	Rst   bool
	Close bool
}

type icpQuery struct {
	URL     string
	Op      *int
	Version *int
	Reqnum  *int
	Options int
}

// originSpec says how a scripted server differs from the default.
type originSpec struct {
	Default  *behaviour
	Listen   *bool
	Hang     bool
	FTP      *ftpSpec
	ICP      string
	ICPDelay int `json:"icp_delay"`
}

type ftpSpec struct {
	Replies, Files, Lists map[string]string
}

// behaviour is what a scripted server does with one request.
type behaviour struct {
	Reply    *string
	Parts    []any // texts, and pauses in milliseconds
	Then     string
	For      string
	OnAccept bool `json:"on_accept"`
	Raw      []rawOp
	Delay    float64
	Hold     *float64
	ReadBody *bool `json:"read_body"`
	Continue string
}

// UnmarshalJSON takes a bare string as a reply.
func (b *behaviour) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &b.Reply)
	}
	type plain behaviour
	return json.Unmarshal(data, (*plain)(b))
}

// rawOp is one action of a server that speaks without HTTP.
type rawOp struct {
	Send     *string
	Recv     *int
	RecvHead bool `json:"recv_head"`
	RecvEOF  bool `json:"recv_eof"`
	Pause    *float64
	Fin, Rst bool
	Timeout  *float64
}

// behaviours reads an "origin" step: a list is for ORIGIN, an object is either
// one behaviour or lists by server name.
func (s *step) behaviours() (map[string][]*behaviour, error) {
	if len(s.Origin) == 0 {
		return nil, nil
	}
	list, err := behaviourList(s.Origin)
	if s.Origin[0] != '{' {
		return map[string][]*behaviour{"ORIGIN": list}, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(s.Origin, &keys); err != nil {
		return nil, err
	}
	for _, word := range []string{"reply", "parts", "raw", "on_accept", "then"} {
		if _, single := keys[word]; single {
			return map[string][]*behaviour{"ORIGIN": list}, err
		}
	}
	named := map[string][]*behaviour{}
	for name, raw := range keys {
		if named[name], err = behaviourList(raw); err != nil {
			return nil, err
		}
	}
	return named, nil
}

func behaviourList(raw json.RawMessage) ([]*behaviour, error) {
	if raw[0] == '[' {
		var list []*behaviour
		err := json.Unmarshal(raw, &list)
		return list, err
	}
	b := &behaviour{}
	return []*behaviour{b}, json.Unmarshal(raw, b)
}

func (sc *scenario) id() string { return sc.area + "/" + sc.Name }

// required says that a replacement has to behave as recorded.
func (sc *scenario) required() bool { return sc.Copy == nil || *sc.Copy }

func (sc *scenario) mustNotStart() bool { return sc.Starts != nil && !*sc.Starts }

// loadScenarios reads every scenario below the folders that a pattern of only
// names by area, name or both; no pattern means all.
func loadScenarios(dirs, only []string) ([]*scenario, error) {
	var all []*scenario
	for _, dir := range dirs {
		var files []string
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(p, ".json") {
				files = append(files, p)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		sort.Strings(files)
		for _, file := range files {
			sc, err := loadScenario(file)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if sc.Steps != nil && wanted(sc, only) {
				all = append(all, sc)
			}
		}
	}
	return all, nil
}

func loadScenario(file string) (*scenario, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	sc := &scenario{file: file, area: filepath.Base(filepath.Dir(abs))}
	if err := json.Unmarshal(data, sc); err != nil {
		return nil, err
	}
	if sc.Observed != nil {
		sc.Observed = bytesTree(sc.Observed).(map[string]any)
	}
	return sc, nil
}

func wanted(sc *scenario, only []string) bool {
	for _, pattern := range only {
		for _, name := range []string{sc.Name, sc.area, sc.id()} {
			if ok, _ := path.Match(pattern, name); ok {
				return true
			}
		}
	}
	return len(only) == 0
}

// bytesTree turns the texts of a recording, which stand for bytes by their code
// points, into byte strings.
func bytesTree(v any) any {
	switch v := v.(type) {
	case string:
		return toBytes(v)
	case []any:
		for i := range v {
			v[i] = bytesTree(v[i])
		}
		return v
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[toBytes(k)] = bytesTree(e)
		}
		return out
	}
	return v
}

// toBytes writes each code point as one byte; those above 255 become '?'.
func toBytes(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 255 {
			r = '?'
		}
		b = append(b, byte(r))
	}
	return string(b)
}
