package helper

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// The protocol between Remote and ServeSpawner, a packet each way. To the spawner:
// 's' and the arguments, each with a NUL behind it, with three descriptors beside;
// 'k' and four octets of process id. Back, in the order of the starts: 'p' and a
// process id, 'n' and an error number, 'e' and an error text. And at any time 'x',
// the process id of one that ended, and how.
const maxPacket = 64 << 10

// Remote starts programs by a process at the other end of a socket
// (AF_UNIX, SOCK_SEQPACKET), which runs ServeSpawner.
type Remote struct {
	conn *net.UnixConn

	start sync.Mutex // one start at a time: answers come in that order
	reply chan []byte

	mu     sync.Mutex
	gone   bool
	leaves bool // with the last of living
	living map[int]*remoteProcess
	early  map[int]string // ends that were told before Start had the process id
}

// NewRemote begins to listen to the spawner. It ends with the connection.
func NewRemote(conn *net.UnixConn) *Remote {
	r := &Remote{conn: conn, reply: make(chan []byte, 1), living: map[int]*remoteProcess{}, early: map[int]string{}}
	go r.listen()
	return r
}

// ErrSpawnerGone says that the process which starts programs has ended.
var ErrSpawnerGone = errors.New("the process that starts helpers is gone")

// Start implements Spawner.
func (r *Remote) Start(c Command) (Process, error) {
	r.start.Lock()
	defer r.start.Unlock()
	packet := append([]byte{'s'}, strings.Join(c.Args, "\x00")...)
	if len(packet) > maxPacket {
		return nil, syscall.E2BIG
	}
	rights := unix.UnixRights(int(c.Stdin.Fd()), int(c.Stdout.Fd()), int(c.Stderr.Fd()))
	if _, _, err := r.conn.WriteMsgUnix(packet, rights, nil); err != nil {
		return nil, ErrSpawnerGone
	}
	reply, ok := <-r.reply
	if !ok {
		return nil, ErrSpawnerGone
	}
	switch reply[0] {
	case 'p':
		return r.born(processID(reply[1:])), nil
	case 'n':
		return nil, syscall.Errno(reply[1])
	}
	return nil, errors.New(string(reply[1:]))
}

func (r *Remote) born(pid int) *remoteProcess {
	p := &remoteProcess{pid: pid, remote: r, ended: make(chan struct{})}
	r.mu.Lock()
	defer r.mu.Unlock()
	if how, dead := r.early[pid]; dead || r.gone {
		delete(r.early, pid)
		p.end(how)
		return p
	}
	r.living[pid] = p
	return p
}

func (r *Remote) listen() {
	packet := make([]byte, maxPacket)
	for {
		n, err := r.conn.Read(packet)
		if err != nil || n < 2 {
			break
		}
		if packet[0] == 'x' && n >= 5 {
			r.died(processID(packet[1:5]), string(packet[5:n]))
			continue
		}
		r.reply <- bytes.Clone(packet[:n])
	}
	close(r.reply)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = true
	for _, p := range r.living {
		p.end(ErrSpawnerGone.Error())
	}
}

func (r *Remote) died(pid int, how string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.living[pid]
	if p == nil {
		r.early[pid] = how
		return
	}
	delete(r.living, pid)
	p.end(how)
	if r.leaves && len(r.living) == 0 {
		r.conn.Close()
	}
}

// Retire has the spawner end when all it started has ended. Nothing may be started
// by it any more.
func (r *Remote) Retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leaves = true; len(r.living) == 0 {
		r.conn.Close()
	}
}

// remoteProcess is a child of the spawner.
type remoteProcess struct {
	pid    int
	remote *Remote
	how    string
	ended  chan struct{}
}

func (p *remoteProcess) end(how string) {
	p.how = how
	close(p.ended)
}

func (p *remoteProcess) Pid() int { return p.pid }

func (p *remoteProcess) Kill() { p.remote.conn.Write(appendProcessID([]byte{'k'}, p.pid)) }

func (p *remoteProcess) Wait() string {
	<-p.ended
	return p.how
}

func appendProcessID(dst []byte, pid int) []byte {
	return append(dst, byte(pid>>24), byte(pid>>16), byte(pid>>8), byte(pid))
}

func processID(octets []byte) int {
	if len(octets) < 4 {
		return 0
	}
	return int(octets[0])<<24 | int(octets[1])<<16 | int(octets[2])<<8 | int(octets[3])
}

// Close ends the connection, and with it the spawner and all it started.
func (r *Remote) Close() error {
	if err := r.conn.Close(); err != nil {
		return fmt.Errorf("%w: %v", ErrSpawnerGone, err)
	}
	return nil
}
