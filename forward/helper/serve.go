package helper

import (
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// ServeSpawner starts programs for a Remote at the other end of conn until that
// closes, then ends what still runs and returns. allowed says which command lines may be
// started; nil stands for all. It is the life of a process of its own. What it starts is
// killed when it ends in whatever way (PR_SET_PDEATHSIG): that follows the thread that
// started it, so the calling goroutine keeps its thread.
func ServeSpawner(conn *net.UnixConn, allowed func(args []string) bool) {
	runtime.LockOSThread()
	s := &spawnServer{conn: conn, allowed: allowed, living: map[int]*execProcess{}}
	packet, rights := make([]byte, maxPacket+1), make([]byte, unix.CmsgSpace(4*4))
	for {
		n, m, _, _, err := conn.ReadMsgUnix(packet, rights)
		if err != nil || n == 0 {
			break
		}
		files := received(rights[:m])
		s.do(packet[:n], files)
		for _, f := range files {
			f.Close()
		}
	}
	s.killAll()
}

// spawnServer is the spawner's end of the protocol.
type spawnServer struct {
	conn    *net.UnixConn
	allowed func([]string) bool
	waiting sync.WaitGroup

	mu     sync.Mutex
	living map[int]*execProcess
}

func (s *spawnServer) do(packet []byte, files []*os.File) {
	switch packet[0] {
	case 's':
		s.conn.Write(s.start(strings.Split(string(packet[1:]), "\x00"), files))
	case 'k':
		s.mu.Lock()
		p := s.living[processID(packet[1:])]
		s.mu.Unlock()
		if p != nil {
			p.Kill()
		}
	}
}

// start starts a program and gives the packet that says so.
func (s *spawnServer) start(args []string, files []*os.File) (reply []byte) {
	if len(files) != 3 || args[0] == "" {
		return []byte{'n', byte(syscall.EINVAL)}
	}
	if s.allowed != nil && !s.allowed(args) {
		return []byte{'n', byte(syscall.EACCES)}
	}
	p, err := start(Command{Args: args, Stdin: files[0], Stdout: files[1], Stderr: files[2]},
		syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL})
	var number syscall.Errno
	switch {
	case errors.As(err, &number) && number < 256:
		return []byte{'n', byte(number)}
	case err != nil:
		return append([]byte{'e'}, err.Error()...)
	}
	s.mu.Lock()
	s.living[p.Pid()] = p
	s.mu.Unlock()
	s.waiting.Go(func() {
		how := p.Wait()
		s.mu.Lock()
		delete(s.living, p.Pid())
		s.mu.Unlock()
		s.conn.Write(append(appendProcessID([]byte{'x'}, p.Pid()), how...))
	})
	return appendProcessID([]byte{'p'}, p.Pid())
}

// killAll ends what runs and waits for it.
func (s *spawnServer) killAll() {
	s.mu.Lock()
	for _, p := range s.living {
		p.Kill()
	}
	s.mu.Unlock()
	s.waiting.Wait()
}

// received takes the descriptors out of a packet's control messages.
func received(rights []byte) (files []*os.File) {
	messages, _ := unix.ParseSocketControlMessage(rights)
	for i := range messages {
		fds, _ := unix.ParseUnixRights(&messages[i])
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "helper"))
		}
	}
	return files
}
