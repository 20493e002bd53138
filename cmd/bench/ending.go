package main

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// atWork are the contenders that run, so that a bench that is ended early leaves none of
// them behind.
var atWork struct {
	mu   sync.Mutex
	list map[*running]bool
}

func (r *running) begun() {
	atWork.mu.Lock()
	defer atWork.mu.Unlock()
	if atWork.list == nil {
		atWork.list = map[*running]bool{}
	}
	atWork.list[r] = true
}

// over reports whether the contender was still at work.
func (r *running) over() bool {
	atWork.mu.Lock()
	defer atWork.mu.Unlock()
	was := atWork.list[r]
	delete(atWork.list, r)
	return was
}

// endOnSignal stops all contenders when the bench is to end. A bench in a namespace of its
// own gets the signal when the one that started it has gone.
func endOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		atWork.mu.Lock()
		var list []*running
		for r := range atWork.list {
			list = append(list, r)
		}
		atWork.mu.Unlock()
		for _, r := range list {
			r.stop()
		}
		os.Exit(1)
	}()
}
