// Package vitals looks once a minute how the process does, and says in cache.log what is
// beyond high_response_time_warning, high_page_fault_warning and high_memory_warning. It
// goes on working with or without them; nothing but the log hears of it.
package vitals

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// interval is the time between two looks, span how many of them the median of the
// response times is of.
const (
	interval = time.Minute
	span     = 20
)

// Vitals watches one process. Call Watch, and Close in the end.
type Vitals struct {
	served histogram

	mu     sync.Mutex // guards what follows
	log    *zap.Logger
	config func() *conf.Config
	timer  *time.Timer
	closed bool
	past   [span]counts // of served at the last looks, the next to be replaced at at
	at     int
	before usage
}

// usage is what the kernel says of the process.
type usage struct {
	at     time.Time
	faults int64 // page faults that needed a disk
	memory int64 // resident, in bytes
}

// Watch begins to look, by the configuration in force at each time.
func (v *Vitals) Watch(log *zap.Logger, config func() *conf.Config) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.log, v.config, v.before = log, config, now()
	v.timer = time.AfterFunc(interval, v.Look)
}

// Close ends looking.
func (v *Vitals) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed = true; v.timer != nil {
		v.timer.Stop()
	}
}

// Served notes how long a request took.
func (v *Vitals) Served(took time.Duration) { v.served.add(took) }

// Look looks now. It is done once a minute.
func (v *Vitals) Look() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return
	}
	v.warn(v.config(), now())
	v.timer.Reset(interval)
}

// warn says what is beyond the bounds of a configuration, in 2.6's words.
func (v *Vitals) warn(cfg *conf.Config, u usage) {
	var all counts
	v.served.read(&all)
	if most := cfg.HighResponseTimeWarning; most > 0 {
		if median, ok := all.since(&v.past[v.at]); ok && median > int64(most) {
			v.log.Warn("WARNING: Median response time is {milliseconds} milliseconds", zap.Int64("milliseconds", median))
		}
	}
	v.past[v.at] = all
	v.at = (v.at + 1) % span
	if seconds := int64(u.at.Sub(v.before.at) / time.Second); cfg.HighPageFaultWarning > 0 && seconds > 0 {
		if rate := (u.faults - v.before.faults) / seconds; rate > int64(cfg.HighPageFaultWarning) {
			v.log.Warn("WARNING: Page faults occuring at {rate}/sec", zap.Int64("rate", rate))
		}
	}
	v.before = u
	if most := cfg.HighMemoryWarning; most > 0 && u.memory > most {
		v.log.Warn("WARNING: Memory usage at {megabytes} MB", zap.Int64("megabytes", u.memory>>20))
	}
}

// now asks the kernel. What it does not say is 0.
func now() usage {
	u := usage{at: time.Now()}
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) == nil {
		u.faults = r.Majflt
	}
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.ParseInt(fields[1], 10, 64)
			u.memory = pages * int64(os.Getpagesize())
		}
	}
	return u
}
