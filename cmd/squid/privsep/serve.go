package privsep

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/cmd/squid/intercept"
	"github.com/cuttle-proxy/cuttle/conf"
)

// server is the monitor. What it may touch it takes from its own reading of the
// configuration, never from the requests, so that a serving process that was taken
// over gains no other file through it.
type server struct {
	confFile string
	world    conf.World
	spawner  func() *exec.Cmd // the command that is to call ServeSpawner
	cfg      *conf.Config     // that the serving process runs with
	next     *conf.Config     // as last read; the same, until the serving process adopts it or goes on without
	pid      int              // the serving process
	pidFile  string           // that names it, once it was written
	owner    Identity
	mayRead  map[string]bool
	rules    intercept.Rules
}

// Serve is the monitor's life, until the serving process, its parent, ends. It
// reads the configuration as machine shows it. spawner gives the command that is to
// call ServeSpawner. An error is for standard error.
func Serve(confFile string, machine conf.World, spawner func() *exec.Cmd) error {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE)
	file := os.NewFile(Descriptor, "monitor")
	conn, err := net.FileConn(file)
	file.Close()
	if err != nil {
		return err
	}
	s := &server{confFile: confFile, world: machine, spawner: spawner, pid: os.Getppid()}
	if err := s.learn(); err != nil {
		return err
	}
	s.rules.Made(s.cfg)
	s.serve(conn.(*net.UnixConn))
	// The pid file of a process that was killed stays, as 2.6's does: it tells
	// init scripts that the end was not an orderly one.
	return s.rules.AtEnd(s.cfg)
}

// learn reads the configuration and notes every file it opens on the way. The
// effective user is that of the start: the serving process cannot become another.
func (s *server) learn() error {
	world := &notingWorld{World: s.world, opened: map[string]bool{}}
	cfg, _ := conf.Load(s.confFile, conf.Options{World: world, Skim: true})
	if cfg == nil {
		if s.cfg == nil {
			return errors.New("the configuration cannot be read")
		}
		s.mayRead = world.opened // so that the serving process can say what is wrong with it
		return nil
	}
	if s.cfg == nil {
		owner, err := LookUp(cfg)
		if err != nil {
			return err
		}
		s.cfg, s.owner = cfg, owner
	}
	s.next, s.mayRead = cfg, world.opened
	cfg.ForgetLists()
	debug.FreeOSMemory()
	return nil
}

// writePid writes the pid file of the configuration, in place of one that another
// configuration named.
func (s *server) writePid() error {
	if s.pidFile != s.cfg.PidFilename {
		RemovePid(s.pidFile, s.pid)
	}
	s.pidFile = s.cfg.PidFilename
	return WritePid(s.pidFile, s.pid)
}

func (s *server) serve(conn *net.UnixConn) {
	request := make([]byte, 8192)
	for {
		n, err := conn.Read(request)
		if err != nil || n == 0 {
			return
		}
		atWork := signs(conn)
		file, err := s.do(request[0], string(request[1:n]))
		atWork()
		if err := answer(conn, file, err); err != nil {
			return
		}
	}
}

// signs says on conn that there is work going on, until the function it returns is
// called: reading a configuration with long lists takes a while.
func signs(conn *net.UnixConn) (end func()) {
	stop := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		tick := time.NewTicker(signInterval)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				answer(conn, nil, working)
			}
		}
	})
	return func() { close(stop); ended.Wait() }
}

// answer sends the outcome: an octet with the error number and, where there is
// none, the text of the error.
func answer(conn *net.UnixConn, file *os.File, err error) error {
	reply, rights := []byte{0}, []byte(nil)
	var number syscall.Errno
	switch {
	case errors.As(err, &number) && number < 256:
		reply[0] = byte(number)
	case err != nil:
		reply = append(reply, err.Error()...)
	case file != nil:
		defer file.Close()
		rights = unix.UnixRights(int(file.Fd()))
	}
	_, _, err = conn.WriteMsgUnix(reply, rights, nil)
	return err
}

func (s *server) do(what byte, argument string) (*os.File, error) {
	switch what {
	case askWritePid:
		return nil, s.writePid()
	case askRemovePid:
		return nil, RemovePid(s.pidFile, s.pid)
	case askOpenLog:
		if !s.isLog(argument) {
			return nil, syscall.EACCES
		}
		return s.openLog(argument)
	case askRenameLog:
		from, to, _ := strings.Cut(argument, "\x00")
		if !s.isRotation(from, to) {
			return nil, syscall.EACCES
		}
		return nil, renameAsRoot(from, to)
	case askLearn:
		return nil, s.learn()
	case askAdopt:
		s.cfg = s.next
		return nil, nil
	case askOpenConf:
		if !s.mayRead[argument] {
			return nil, syscall.EACCES
		}
		return openAsRoot(argument, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	case askOpenGRE:
		return intercept.GRESocket(s.cfg)
	case askOpenTUN:
		return intercept.TUN(s.cfg)
	case askSetUp:
		return nil, s.rules.Again(s.cfg)
	case askSpawner:
		return s.newSpawner()
	}
	return nil, fmt.Errorf("request %q is not known", what)
}

// isLog reports whether the configuration names a log of that path: the one in force,
// or the one about to be, whose logs are opened before it is adopted.
func (s *server) isLog(path string) bool {
	return path != "" && path != "none" && (namesLog(s.cfg, path) || namesLog(s.next, path))
}

func namesLog(c *conf.Config, path string) bool {
	if c == nil {
		return false
	}
	for _, l := range c.AccessLogs {
		if l.Path == path {
			return true
		}
	}
	return slices.Contains([]string{c.CacheLog, c.CacheStoreLog, c.UseragentLog, c.RefererLog, c.ForwardLog}, path)
}

// isRotation reports whether a renaming is LOG -> LOG.0 or LOG.N -> LOG.N+1.
func (s *server) isRotation(from, to string) bool {
	number := func(path, log string) (int, bool) {
		digits, found := strings.CutPrefix(path, log+".")
		n, err := strconv.Atoi(digits)
		return n, found && err == nil && digits == strconv.Itoa(n)
	}
	log := strings.TrimRight(to, "0123456789")
	log = strings.TrimSuffix(log, ".")
	if !s.isLog(log) {
		return false
	}
	n, ok := number(to, log)
	if !ok {
		return false
	}
	if from == log {
		return n == 0
	}
	m, ok := number(from, log)
	return ok && n == m+1
}

// openLog opens or makes a log, which belongs to the effective user from then on.
func (s *server) openLog(path string) (*os.File, error) {
	f, err := openAsRoot(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() == 0 {
		err = f.Chown(s.owner.UID, s.owner.GID)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
