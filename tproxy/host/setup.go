package host

import (
	"fmt"
	"io"
)

// Options say where Setup and Teardown remember and report.
type Options struct {
	// StateDir is DefaultStateDir when empty.
	StateDir string
	// Report is where each thing done is told, one line each; nil for nowhere.
	Report io.Writer
	// Iptables makes Script print the rules for iptables(8) in place of nft(8).
	Iptables bool
}

func (o Options) say(format string, args ...any) {
	if o.Report != nil {
		fmt.Fprintf(o.Report, format+"\n", args...)
	}
}

// Setup makes the host ready for w. It does what is missing and nothing else, so
// it may be repeated; when a step fails, what was done in this run and before is
// undone, and the error says which step it was.
func Setup(w Want, o Options) error {
	s, steps, err := planned(w, o)
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	defer s.close()
	if len(steps) == 0 {
		o.say("setup: nothing to do")
		return nil
	}
	return carryOut(steps, s, o)
}

// planned opens the state and gives what is missing on this host.
func planned(w Want, o Options) (*store, []step, error) {
	s, err := openStore(o.StateDir)
	if err != nil {
		return nil, nil, err
	}
	steps, err := plan(w.onThisHost(), s.state)
	if err != nil {
		s.close()
		return nil, nil, err
	}
	return s, steps, nil
}

// carryOut remembers all steps before it takes the first.
func carryOut(steps []step, s *store, o Options) error {
	for _, step := range steps {
		step.intend(&s.state)
	}
	if err := s.save(); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			err = fmt.Errorf("setup: %s: %w", step.what, err)
			if undone := undo(s, o); undone != nil {
				return fmt.Errorf("%w; and what was done before could not be undone: %w", err, undone)
			}
			return err
		}
		o.say("setup: %s", step.what)
	}
	return nil
}

// onThisHost leaves out a family the kernel does not have.
func (w Want) onThisHost() Want {
	if _, err := readVariable("net/ipv6/conf/all/forwarding"); err != nil {
		w.IPv6 = false
	}
	return w
}
