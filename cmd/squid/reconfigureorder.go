package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// outcome is what came of a reconfigure.
type outcome struct {
	// Refused says that the configuration before it stays in force, whole.
	Refused bool `json:"refused"`
	// Problems are what could not be put in force, for people.
	Problems []string `json:"problems"`
}

// problem notes and logs what could not be done.
func (p *process) problem(o *outcome, text string) {
	o.Problems = append(o.Problems, text)
	p.log.Error("ERROR: {problem}", zap.String("problem", text))
}

// errEnding answers an order that comes when the end has begun.
var errEnding = errors.New("it is shutting down")

// orderReconfigure has the serving loop reconfigure, between two signals, and
// answers with the outcome.
func (p *process) orderReconfigure(w io.Writer) error {
	done := make(chan outcome, 1)
	var o outcome
	select {
	case p.reconfigures <- done:
		o = <-done
	case <-p.ending:
		o = outcome{Refused: true, Problems: []string{errEnding.Error()}}
	}
	return json.NewEncoder(w).Encode(o)
}

// reconfigureLimit bounds the wait for a reconfigure: lists of a million lines, names
// whose servers are silent.
const reconfigureLimit = 10 * time.Minute

// reconfigureOrder is -k reconfigure. It refuses a configuration the running copy
// would refuse before it bothers the copy with it, but for what is wrong far down in a
// long list, which it leaves to the copy to find; it waits for the outcome and says on
// standard error what is not in force. A copy that cannot be asked is signalled, as
// 2.6's order does.
func reconfigureOrder(inv *invocation) int {
	cfg, status := inv.skim()
	if cfg == nil {
		return status
	}
	pid := runningCopy(cfg.PidFilename)
	if pid == 0 || !showsItself(pid) {
		if pid != 0 {
			if cfg, status = inv.load(); cfg == nil {
				return status
			}
		}
		return inv.signalCopy(cfg, syscall.SIGHUP)
	}
	var answer bytes.Buffer
	var o outcome
	err := askCopy(pid, reconfigureQuestion, &answer, reconfigureLimit)
	if err == nil {
		err = json.Unmarshal(answer.Bytes(), &o)
	}
	if err != nil {
		fmt.Fprintln(inv.stderr, "squid: ERROR: the outcome is not known:", err)
		return exitBad
	}
	if o.Refused {
		if cfg, status = inv.load(); cfg == nil { // which says why
			return status
		}
	}
	for _, text := range o.Problems {
		fmt.Fprintln(inv.stderr, "squid: ERROR:", text)
	}
	if o.Refused || len(o.Problems) > 0 {
		return exitBad
	}
	return exitGood
}

// reconfigureQuestion is how a running copy is asked to reconfigure.
const reconfigureQuestion = "reconfigure"
