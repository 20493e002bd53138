package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
)

// keeperChild is the helper that stays root. What it may touch it takes from
// its own reading of the configuration, never from the requests, so that a
// serving process that was taken over gains no other file through it.
type keeperChild struct {
	inv     *invocation
	cfg     *conf.Config // that the serving process runs with
	next    *conf.Config // as last read; the same, until the serving process adopts it or goes on without
	pid     int          // the serving process
	pidFile string       // that names it, once it was written
	owner   identity
	mayRead map[string]bool
	setUp   bool // network_setup was done
}

// serveKeeper runs the helper until the serving process ends.
func serveKeeper(inv *invocation) int {
	tuneWaiting()
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGPIPE)
	file := os.NewFile(3, "keeper")
	conn, err := net.FileConn(file)
	file.Close()
	if err != nil {
		return exitBad
	}
	k := &keeperChild{inv: inv, pid: os.Getppid()}
	if err := k.learn(); err != nil {
		return exitBad
	}
	k.setUp = k.cfg.NetworkSetup
	k.serve(conn.(*net.UnixConn))
	// The pid file of a process that was killed stays, as 2.6's does: it tells
	// init scripts that the end was not an orderly one.
	if err := tearDownNetwork(k.cfg); err != nil {
		fmt.Fprintln(inv.stderr, "ERROR: "+err.Error())
	}
	return exitGood
}

// learn reads the configuration and notes every file it opens on the way. The
// effective user is that of the start: the serving process cannot become another.
func (k *keeperChild) learn() error {
	world := &notingWorld{opened: map[string]bool{}}
	cfg, _ := conf.Load(k.inv.flags.confFile, conf.Options{World: world})
	if cfg == nil {
		if k.cfg == nil {
			return errors.New("the configuration cannot be read")
		}
		k.mayRead = world.opened // so that the serving process can say what is wrong with it
		return nil
	}
	if k.cfg == nil {
		owner, err := lookUpIdentity(cfg)
		if err != nil {
			return err
		}
		k.cfg, k.owner = cfg, owner
	}
	k.next, k.mayRead = cfg, world.opened
	return nil
}

// writePid writes the pid file of the configuration, in place of one that another
// configuration named.
func (k *keeperChild) writePid() error {
	if k.pidFile != k.cfg.PidFilename {
		removePid(k.pidFile, k.pid)
	}
	k.pidFile = k.cfg.PidFilename
	return writePid(k.pidFile, k.pid)
}

func (k *keeperChild) serve(conn *net.UnixConn) {
	request := make([]byte, 8192)
	for {
		n, err := conn.Read(request)
		if err != nil || n == 0 {
			return
		}
		file, err := k.do(request[0], string(request[1:n]))
		if err := answer(conn, file, err); err != nil {
			return
		}
	}
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

func (k *keeperChild) do(what byte, argument string) (*os.File, error) {
	switch what {
	case askWritePid:
		return nil, k.writePid()
	case askRemovePid:
		return nil, removePid(k.pidFile, k.pid)
	case askOpenLog:
		if !k.isLog(argument) {
			return nil, syscall.EACCES
		}
		return k.openLog(argument)
	case askRenameLog:
		from, to, _ := strings.Cut(argument, "\x00")
		if !k.isRotation(from, to) {
			return nil, syscall.EACCES
		}
		return nil, os.Rename(from, to)
	case askLearn:
		return nil, k.learn()
	case askAdopt:
		k.cfg = k.next
		return nil, nil
	case askOpenConf:
		if !k.mayRead[argument] {
			return nil, syscall.EACCES
		}
		return openAsRoot(argument, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	case askOpenGRE, askOpenTUN:
		return k.openGRE(what)
	case askSetUp:
		return nil, setUpAgain(k.cfg, &k.setUp)
	}
	return nil, fmt.Errorf("request %q is not known", what)
}

// isLog says whether the configuration names a log of that path: the one in force,
// or the one about to be, whose logs are opened before it is adopted.
func (k *keeperChild) isLog(path string) bool {
	return path != "" && path != "none" && (namesLog(k.cfg, path) || namesLog(k.next, path))
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

// isRotation says whether a renaming is LOG -> LOG.0 or LOG.N -> LOG.N+1.
func (k *keeperChild) isRotation(from, to string) bool {
	number := func(path, log string) (int, bool) {
		digits, found := strings.CutPrefix(path, log+".")
		return leadingNumber(digits), found && digits == fmt.Sprint(leadingNumber(digits))
	}
	log := strings.TrimRight(to, "0123456789")
	log = strings.TrimSuffix(log, ".")
	if !k.isLog(log) {
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
func (k *keeperChild) openLog(path string) (*os.File, error) {
	f, err := openAsRoot(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() == 0 {
		err = f.Chown(k.owner.uid, k.owner.gid)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
