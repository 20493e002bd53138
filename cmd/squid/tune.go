package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// collectAt is how much the heap of a serving process may grow before garbage is
// collected, in percent of what is alive. Measured on two processors (make bench):
// 200 costs an idle client no more memory than the runtime's 100 (4.1 KB each),
// and a small request 26.6 us of processor time instead of 32 to 40; 400 gains
// nothing beside that and adds 0.5 KB to each idle client.
const collectAt = 200

// tuneServing sets the runtime up for the proxy; GOGC in the environment wins.
func tuneServing() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}

// Memory that was needed once, by an attack say, goes back to the system: the runtime by
// itself collects an idle heap every two minutes, keeps as much free as collectAt lets
// it grow, and what pools hold twice as long. Below heldAlways there is nothing worth a
// collection; one that gave little back is followed by a longer pause, and the longest
// costs no more than the runtime's own.
const (
	heldAlways   = 48 << 20
	returnPause  = 15 * time.Second
	longestPause = time.Minute
)

// returnMemory gives memory back to the system until over is closed.
func returnMemory(over <-chan struct{}) {
	for pause := returnPause; ; {
		select {
		case <-over:
			return
		case <-time.After(pause):
		}
		if pause = min(2*pause, longestPause); returnSome() {
			pause = returnPause
		}
	}
}

// returnSome reports whether it was worth it, or not tried.
func returnSome() bool {
	before := heldMemory()
	if before < heldAlways {
		return true
	}
	runtime.GC() // pools give up what they hold at the second
	debug.FreeOSMemory()
	return heldMemory() < before-before/8
}

// heldMemory is what the runtime has from the system, in bytes.
func heldMemory() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64()
}

// tuneWaiting sets it up for a process that mostly waits.
func tuneWaiting() { runtime.GOMAXPROCS(1) }
