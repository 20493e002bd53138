package routersim

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Faults are ways to behave badly. The zero value is a good router. Chances are
// from 0 to 1, decided for each datagram by dice with a seed.
type Faults struct {
	LossIn    float64 `json:"loss_in,omitempty"`   // chance that a cache's datagram is not heard
	LossOut   float64 `json:"loss_out,omitempty"`  // chance that ours is not sent
	Duplicate float64 `json:"duplicate,omitempty"` // chance that ours goes out twice
	Reorder   float64 `json:"reorder,omitempty"`   // chance that ours is overtaken by the next
	Truncate  float64 `json:"truncate,omitempty"`  // chance that ours is cut at a random place
	Corrupt   float64 `json:"corrupt,omitempty"`   // chance that an octet of ours is changed
	Delay     float64 `json:"delay,omitempty"`     // seconds that ours wait
	Jitter    float64 `json:"jitter,omitempty"`    // seconds, at most, that ours wait beyond Delay

	Silent            bool `json:"silent,omitempty"`             // hears everything, does nothing
	WrongPassword     bool `json:"wrong_password,omitempty"`     // signs with another password than it expects
	WrongReceiveID    bool `json:"wrong_receive_id,omitempty"`   // shows ids it will not accept
	IgnoreAssignments bool `json:"ignore_assignments,omitempty"` // as if each REDIRECT_ASSIGN were lost
}

// longestWait bounds Delay and Jitter, in seconds.
const longestWait = 3600

// ParseFaults reads faults from the text of flags ("loss_out=0.3 silent") or a JSON
// object with the same names.
func ParseFaults(text string) (Faults, error) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		text = objectOf(text)
	}
	var faults Faults
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&faults); err != nil {
		return Faults{}, fmt.Errorf("faults: %w (known: %s)", err, strings.Join(FaultNames(), ", "))
	}
	return faults, faults.check()
}

// objectOf writes "a=1 b" as {"a":1,"b":true}.
func objectOf(text string) string {
	var fields []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		name, value, given := strings.Cut(word, "=")
		if !given {
			value = "true"
		}
		fields = append(fields, fmt.Sprintf("%q:%s", name, value))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func (f Faults) check() error {
	for _, chance := range []float64{f.LossIn, f.LossOut, f.Duplicate, f.Reorder, f.Truncate, f.Corrupt} {
		if chance < 0 || chance > 1 {
			return errors.New("faults: a chance is a number from 0 to 1")
		}
	}
	if min(f.Delay, f.Jitter) < 0 || max(f.Delay, f.Jitter) > longestWait {
		return fmt.Errorf("faults: delay and jitter are seconds from 0 to %d", longestWait)
	}
	return nil
}

// FaultNames lists the names ParseFaults knows.
func FaultNames() []string {
	var names []string
	for field := range reflect.TypeFor[Faults]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func (r *Router) happens(chance float64) bool {
	return chance > 0 && r.dice.Float64() < chance
}

// post queues a datagram, less well than it should when there are faults.
func (r *Router) post(d Datagram) {
	f := r.config.Faults
	if r.happens(f.LossOut) {
		r.observe(Event{Name: Lost, Cache: d.To.Addr(), Message: kindOf(d.Payload), Why: "fault: outgoing"})
		return
	}
	if r.happens(f.Truncate) {
		d.Payload = d.Payload[:r.dice.IntN(len(d.Payload))]
	}
	if r.happens(f.Corrupt) && len(d.Payload) > 0 {
		d.Payload[r.dice.IntN(len(d.Payload))] ^= byte(1 + r.dice.IntN(255))
	}
	copies := 1
	if r.happens(f.Duplicate) {
		copies = 2
	}
	for range copies {
		due := r.now.Add(seconds(f.Delay + f.Jitter*r.dice.Float64()))
		if r.happens(f.Reorder) {
			r.out.hold(d, due.Add(r.config.Interval))
		} else {
			r.out.add(d, due)
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
