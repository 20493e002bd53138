package netlab

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
)

// Lab is a set of namespaces that live and die together.
type Lab struct {
	prefix string
	number int64 // among this program's labs

	mu    sync.Mutex
	nodes []*Node
	err   error
	fail  func(error)
	done  bool
}

// labs counts the labs of this program, whose namespaces need different names.
var labs atomic.Int64

var prefixForm = regexp.MustCompile(`^[a-z][a-z0-9]{0,15}$`)

// New starts an empty lab. prefix (letters and digits) begins the names of its
// namespaces; leftovers of dead programs with the same prefix are removed.
func New(prefix string) (*Lab, error) {
	if !prefixForm.MatchString(prefix) {
		return nil, fmt.Errorf("netlab: prefix %q: want a few lower-case letters and digits", prefix)
	}
	if err := Available(); err != nil {
		return nil, err
	}
	sweep(prefix)
	return &Lab{prefix: prefix, number: labs.Add(1)}, nil
}

// Available reports whether this process may build labs, and if not, why.
func Available() error {
	if os.Geteuid() != 0 {
		return errors.New("netlab: network namespaces need root")
	}
	return nil
}

// Err is the first thing that failed while building.
func (l *Lab) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// failed keeps the first error and tells the test, when there is one.
func (l *Lab) failed(err error) {
	l.mu.Lock()
	first := l.err == nil
	if first {
		l.err = err
	}
	report := l.fail
	l.mu.Unlock()
	if first && report != nil {
		report(err)
	}
}

// step runs one act of building, unless an earlier one failed.
func (l *Lab) step(what string, act func() error) {
	if l.Err() != nil {
		return
	}
	if err := act(); err != nil {
		l.failed(fmt.Errorf("netlab: %s: %w", what, err))
	}
}

// Close ends every process in the lab's namespaces and removes them. It may be
// called more than once and from any goroutine.
func (l *Lab) Close() error {
	l.mu.Lock()
	nodes := l.nodes
	l.nodes, l.done = nil, true
	l.mu.Unlock()

	var errs []error
	for _, n := range nodes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}
