package delays

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// data is where the scenarios are.
const data = "../../../testdata/delay"

// scenario is one file there; README.md beside it describes the fields.
type scenario struct {
	Name     string
	Conf     []string
	Settle   float64
	Length   float64
	Flows    []*flow
	Events   []event
	Expect   []expectation
	Starts   *bool
	Copy     *bool
	Better   []expectation
	Observed struct {
		Asked map[string]int
	}
}

// event is another configuration, and a signal, at a time.
type event struct {
	At     float64
	Conf   []string
	Signal string
}

// expectation is about the sum of some flows.
type expectation struct {
	Of         []string
	From       *float64
	Until      *float64
	Start      float64
	Rate       float64
	Max        float64
	SinceStart bool `json:"since_start"`
	UpperOnly  bool `json:"upper_only"`
	Fair       float64
	Grace      float64
	Free       bool
	Stalled    bool
	AtLeast    float64   `json:"at_least"`
	AtMost     float64   `json:"at_most"`
	Between    []float64 // total octets
}

// wanted is what this program should do: what 2.6 did, or better.
func (s *scenario) wanted() []expectation {
	if s.Better != nil {
		return s.Better
	}
	return s.Expect
}

func (s *scenario) mustStart() bool { return s.Starts == nil || *s.Starts }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func load(t *testing.T, file string) *scenario {
	t.Helper()
	s := &scenario{Length: 5}
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, s)
	}
	if err != nil {
		t.Fatal(file, err)
	}
	return s
}
