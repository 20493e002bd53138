package overload

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Reserve holds accepting back before the last descriptors are taken, as 2.6 does:
// those are for what the connections there are still need, and for logs. Set its
// exported fields before use.
type Reserve struct {
	State *State
	// LetGo closes, soon, up to n connections that nobody needs just now.
	LetGo func(n int)
	// Pause is the time between two looks while there is too little; 0 for a fiftieth
	// of a second.
	Pause time.Duration
	// Descriptors gives how many are open and how many may be; nil for the process's.
	Descriptors func() (open, limit int)

	mu    sync.Mutex
	left  int       // connections that may be accepted before the next count
	letGo time.Time // when LetGo was called last
}

// yield is how many pauses long what LetGo began is waited for, before more are closed.
const yield = 5

// Size is how many of limit descriptors are kept back: 2.6's number.
func Size(limit int) int { return min(100, limit/4) }

// Await returns when there is room for another connection, or over says true. One that
// has to wait is one shortage, however long that takes.
func (r *Reserve) Await(over func() bool) {
	for room := r.admits(); !room && !over(); room = r.look(r.State.prolong) {
		time.Sleep(r.pause())
	}
}

func (r *Reserve) pause() time.Duration {
	if r.Pause > 0 {
		return r.Pause
	}
	return time.Second / 50
}

// admits reports whether one more may be accepted.
func (r *Reserve) admits() bool { return r.look(r.State.Failed) }

// look is admits, and gives a shortage to short. Counting costs a system call, so it is
// done again only when a quarter of what was free is taken.
func (r *Reserve) look(short func(error)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left > 0 {
		r.left--
		return true
	}
	count := r.Descriptors
	if count == nil {
		count = descriptors
	}
	open, limit := count()
	if open == 0 {
		r.left = 100 // not to be had, so a failure must tell
		return true
	}
	size := Size(limit)
	free := limit - open
	if free < size {
		short(unix.EMFILE)
		if now := time.Now(); r.letGo.IsZero() || now.Sub(r.letGo) >= yield*r.pause() {
			r.letGo = now
			r.LetGo(2*size - free)
		}
		return false
	}
	r.left = (free - size) / 4
	return true
}

// descriptors are those of this process, 0 and 0 when they cannot be counted.
func descriptors() (open, limit int) {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 0, 0
	}
	limit = int(min(l.Cur, 1<<30))
	var st unix.Stat_t
	if unix.Stat("/proc/self/fd", &st) == nil && st.Size > 0 { // from Linux 6.2 on
		return int(st.Size), limit
	}
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, 0
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0, 0
	}
	return len(names), limit
}
