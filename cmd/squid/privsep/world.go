package privsep

import (
	"io"
	"sync"

	"github.com/cuttle-proxy/cuttle/conf"
)

// rereadingWorld is the machine as a process sees it that was root when it
// started and is no more: what it may not read the monitor opens
// for it, and what is asked about root is answered as at the start.
type rereadingWorld struct {
	conf.World
	monitor *Monitor
}

func (w rereadingWorld) Open(name string) (io.ReadCloser, error) {
	return w.monitor.openConf(name)
}

func (w rereadingWorld) Root() bool { return w.monitor != nil || w.World.Root() }

// notingWorld is the machine, with a note of every file opened.
type notingWorld struct {
	conf.World
	mu     sync.Mutex
	opened map[string]bool
}

func (w *notingWorld) Open(name string) (io.ReadCloser, error) {
	w.mu.Lock()
	w.opened[name] = true
	w.mu.Unlock()
	return w.World.Open(name)
}

var _, _ conf.World = rereadingWorld{}, &notingWorld{}
