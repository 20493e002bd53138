package sock

import (
	"sync"

	"golang.org/x/sys/unix"
)

// An unprivileged user may hold 16384 pages of pipe buffers in all
// (pipe-user-pages-soft); beyond that the kernel hands out two-page pipes.
// maxPipes * pipeSize stays at half of it.
const (
	pipeSize = 256 << 10
	maxPipes = 128
	// maxIdlePipes is how many empty pipes are kept; each idle one holds two
	// descriptors and no memory.
	maxIdlePipes = 32
)

// pipe is an empty pipe or one with bytes under way in it.
type pipe struct {
	r, w int
	size int
}

// pipes are all pipes of the process: the limit is the user's, not a server's.
var pipes struct {
	sync.Mutex
	idle []*pipe
	all  int
}

// takePipe gives an empty pipe, or nil when there are enough of them or the
// system has none: the caller then copies.
func takePipe() *pipe {
	pipes.Lock()
	if n := len(pipes.idle); n > 0 {
		p := pipes.idle[n-1]
		pipes.idle = pipes.idle[:n-1]
		pipes.Unlock()
		return p
	}
	if pipes.all >= maxPipes {
		pipes.Unlock()
		return nil
	}
	pipes.all++
	pipes.Unlock()

	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		pipes.Lock()
		pipes.all--
		pipes.Unlock()
		return nil
	}
	p := &pipe{r: fds[0], w: fds[1], size: 64 << 10}
	if size, err := unix.FcntlInt(uintptr(p.w), unix.F_SETPIPE_SZ, pipeSize); err == nil {
		p.size = size
	} else if size, err := unix.FcntlInt(uintptr(p.w), unix.F_GETPIPE_SZ, 0); err == nil {
		p.size = size
	}
	return p
}

// putPipe takes back an empty pipe.
func putPipe(p *pipe) {
	pipes.Lock()
	if len(pipes.idle) < maxIdlePipes {
		pipes.idle = append(pipes.idle, p)
		pipes.Unlock()
		return
	}
	pipes.all--
	pipes.Unlock()
	unix.Close(p.r)
	unix.Close(p.w)
}

// dropPipe throws away a pipe that may still hold bytes.
func dropPipe(p *pipe) {
	pipes.Lock()
	pipes.all--
	pipes.Unlock()
	unix.Close(p.r)
	unix.Close(p.w)
}

// ClosePipes closes the pipes that are kept for later use.
func ClosePipes() {
	pipes.Lock()
	idle := pipes.idle
	pipes.idle = nil
	pipes.all -= len(idle)
	pipes.Unlock()
	for _, p := range idle {
		unix.Close(p.r)
		unix.Close(p.w)
	}
}
