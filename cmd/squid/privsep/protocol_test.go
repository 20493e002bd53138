package privsep

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
)

// keptFiles is a monitor at work in this process, and the folder of its configuration.
type keptFiles struct {
	*Monitor
	t     *testing.T
	dir   string
	child *server
	ended chan struct{}
}

func newKeptFiles(t *testing.T) *keptFiles {
	dir := t.TempDir()
	k := &keptFiles{t: t, dir: dir, ended: make(chan struct{})}
	k.configure("squid.pid", "access.log")
	child := &server{confFile: k.in("squid.conf"), world: conf.Offline{}, pid: os.Getpid()}
	if err := child.learn(); err != nil {
		t.Fatal(err)
	}
	k.child = child
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	theirs := packetConn(t, pair[1])
	k.Monitor = &Monitor{conn: packetConn(t, pair[0])}
	go func() { defer close(k.ended); child.serve(theirs) }()
	t.Cleanup(func() { k.Close(); <-k.ended; theirs.Close() })
	return k
}

func packetConn(t *testing.T, fd int) *net.UnixConn {
	f := os.NewFile(uintptr(fd), "pair")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*net.UnixConn)
}

func (k *keptFiles) in(name string) string { return filepath.Join(k.dir, name) }

func (k *keptFiles) configure(pidFile, accessLog string) {
	k.put("squid.conf", fmt.Sprintf("http_port 3128\nvisible_hostname h\ncache_dir null %[1]s\nacl all src 0.0.0.0/0.0.0.0\nhttp_access deny all\npid_filename %[1]s/%[2]s\ncache_log %[1]s/cache.log\naccess_log %[1]s/%[3]s squid\ncache_store_log none\n", k.dir, pidFile, accessLog))
}

func (k *keptFiles) put(name, text string) {
	k.t.Helper()
	if err := os.WriteFile(k.in(name), []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
}

// do asks for something that is granted.
func (k *keptFiles) do(what byte, argument string) *os.File {
	k.t.Helper()
	f, err := k.ask(what, argument)
	if err != nil {
		k.t.Errorf("%c %q: %v", what, argument, err)
	}
	return f
}

func (k *keptFiles) holds(name, want string) {
	k.t.Helper()
	if text, err := os.ReadFile(k.in(name)); string(text) != want {
		k.t.Errorf("%s holds %q (%v), want %q", name, text, err, want)
	}
}

func (k *keptFiles) absent(name string) {
	k.t.Helper()
	if _, err := os.Lstat(k.in(name)); !errors.Is(err, os.ErrNotExist) {
		k.t.Errorf("%s is there", name)
	}
}

func TestMonitorDoesTheNamedThings(t *testing.T) {
	k := newKeptFiles(t)
	k.do(askWritePid, "whatever")
	k.holds("squid.pid", fmt.Sprintln(os.Getpid()))
	if f := k.do(askOpenLog, k.in("access.log")); f != nil {
		f.WriteString("a line\n")
		f.Close()
	}
	k.do(askRenameLog, k.in("access.log")+"\x00"+k.in("access.log.0"))
	k.holds("access.log.0", "a line\n")
	if f := k.do(askOpenConf, k.in("squid.conf")); f != nil {
		if n, err := f.Write([]byte("x")); err == nil {
			t.Errorf("%d octets written to the configuration", n)
		}
		f.Close()
	}
	k.do(askRemovePid, "")
	k.absent("squid.pid")
	if _, err := k.ask(askRenameLog, k.in("access.log")+"\x00"+k.in("access.log.0")); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a log that is not there: %v", err)
	}
}

// Whatever a serving process that was taken over asks for, it gets no other file,
// and the monitor goes on.
func TestMonitorRefuses(t *testing.T) {
	k := newKeptFiles(t)
	k.put("precious", "precious")
	log := k.in("access.log")
	for _, request := range []string{
		"?", "\x00", "\xff" + log, "L" + log,
		"l", "l/etc/shadow", "l" + log + "\x00", "l" + log + "/", "l" + k.dir + "/./access.log", "l" + log + ".0", "lnone",
		"l" + strings.Repeat("a", 8190), "l" + strings.Repeat("a", 60000),
		"m", "m\x00", "m" + log, "m" + log + "\x00", "m" + log + "\x00" + k.in("precious"), "m" + k.in("precious") + "\x00" + log + ".0",
		"m" + log + "\x00" + log + ".0\x00", "m" + log + "\x00" + log + ".0/../precious", "m" + log + ".0\x00" + log,
		"f", "f/etc/shadow", "f" + k.in("precious"), "f" + k.in("squid.conf") + "\x00", "f" + k.dir + "/x/../squid.conf",
		"g", "t",
	} {
		f, err := k.ask(request[0], request[1:])
		if err == nil || f != nil {
			t.Errorf("%.40q was granted", request)
		}
	}
	k.holds("precious", "precious")
	k.do(askWritePid, "")
	k.holds("squid.pid", fmt.Sprintln(os.Getpid()))
}

// A log whose place was taken by something else is not opened.
func TestMonitorOpensNoSubstitute(t *testing.T) {
	k := newKeptFiles(t)
	k.put("precious", "precious")
	if err := os.Chmod(k.dir, 0o777); err != nil { // as if the effective user's
		t.Fatal(err)
	}
	for name, place := range map[string]func(string) error{
		"a symbolic link": func(at string) error { return os.Symlink(k.in("precious"), at) },
		"another name":    func(at string) error { return os.Link(k.in("precious"), at) },
		"a pipe":          func(at string) error { return syscall.Mkfifo(at, 0o600) },
		"a folder":        func(at string) error { return os.Mkdir(at, 0o700) },
		"a device":        func(at string) error { return os.Symlink("/dev/zero", at) },
	} {
		if err := place(k.in("access.log")); err != nil {
			t.Fatal(err)
		}
		if f, err := k.ask(askOpenLog, k.in("access.log")); err == nil {
			f.Close()
			t.Errorf("%s was opened", name)
		}
		os.Remove(k.in("access.log"))
	}
	// The pid file replaces what is in its place and follows nothing.
	if err := os.Symlink(k.in("precious"), k.in("squid.pid")); err != nil {
		t.Fatal(err)
	}
	k.do(askWritePid, "")
	k.holds("precious", "precious")
}

// Descriptors sent along are not kept: they would fill the monitor.
func TestMonitorKeepsNoDescriptors(t *testing.T) {
	k := newKeptFiles(t)
	open := func() int { all, _ := os.ReadDir("/proc/self/fd"); return len(all) }
	before := open()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for range 50 {
		rights := unix.UnixRights(int(null.Fd()), int(null.Fd()))
		if _, _, err := k.conn.WriteMsgUnix([]byte{'?'}, rights, nil); err != nil {
			t.Fatal(err)
		}
		if n, _ := k.conn.Read(make([]byte, 100)); n < 2 {
			t.Fatal("no refusal")
		}
	}
	if after := open(); after > before+1 {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

// A configuration that was read and is not yet in force opens its own logs and
// takes nothing away from the one in force, which may stay.
func TestMonitorFollowsTheConfigurationInForce(t *testing.T) {
	k := newKeptFiles(t)
	k.do(askWritePid, "")
	for _, accessLog := range []string{"second.log", "third.log"} { // refused, once and again
		k.configure("another.pid", accessLog)
		k.do(askLearn, "")
		for _, log := range []string{"access.log", accessLog} {
			k.do(askOpenLog, k.in(log)).Close()
		}
		k.do(askRenameLog, k.in("access.log")+"\x00"+k.in("access.log.0"))
	}
	if f, err := k.ask(askOpenLog, k.in("second.log")); err == nil {
		f.Close()
		t.Error("a log that only an older, refused configuration names was opened")
	}
	k.do(askWritePid, "")
	k.absent("another.pid")
	k.put("squid.conf", "acl x nosuchtype 1\n")
	k.do(askLearn, "")
	k.do(askOpenLog, k.in("access.log")).Close()
	k.do(askOpenConf, k.in("squid.conf")).Close() // so that it can be told what is wrong
	k.configure("another.pid", "third.log")
	k.do(askLearn, "")
	k.do(askAdopt, "")
	if f, err := k.ask(askOpenLog, k.in("access.log")); err == nil {
		f.Close()
		t.Error("a log of a configuration no longer in force was opened")
	}
	k.do(askWritePid, "")
	k.holds("another.pid", fmt.Sprintln(os.Getpid()))
	k.absent("squid.pid")
	k.do(askRemovePid, "")
	k.absent("another.pid")
}

func TestMonitorThatIsGone(t *testing.T) {
	for name, end := range map[string]func(*keptFiles){
		"hung up on":      func(k *keptFiles) { k.Close() },
		"told nothing":    func(k *keptFiles) { k.conn.Write(nil) },
		"half hung up on": func(k *keptFiles) { k.conn.CloseWrite() },
		"no longer heard": func(k *keptFiles) { k.conn.CloseRead(); k.conn.Write([]byte("?")) },
	} {
		k := newKeptFiles(t)
		end(k)
		<-k.ended
		k.Close()
		if _, err := k.ask(askWritePid, ""); err == nil || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What went wrong arrives as what it is.
func TestMonitorAnswers(t *testing.T) {
	for _, c := range []struct {
		sent error
		want func(error) bool
	}{
		{nil, func(err error) bool { return err == nil }},
		{syscall.EROFS, func(err error) bool { return errors.Is(err, syscall.EROFS) }},
		{&os.PathError{Op: "open", Path: "/x", Err: syscall.ENOSPC}, func(err error) bool { return errors.Is(err, syscall.ENOSPC) }},
		{errors.New("in words"), func(err error) bool { return err.Error() == "in words" }},
		{errors.New(strings.Repeat("long ", 10000)), func(err error) bool { return strings.HasPrefix(err.Error(), "long ") }},
	} {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		k, theirs := &Monitor{conn: packetConn(t, pair[0])}, packetConn(t, pair[1])
		go func() {
			theirs.Read(make([]byte, 10))
			answer(theirs, nil, c.sent)
			theirs.Close()
		}()
		if _, err := k.ask('?', ""); !c.want(err) {
			t.Errorf("%.40v arrives as %.40v", c.sent, err)
		}
		k.Close()
	}
}

// A monitor that somebody stopped holds nothing up; when it goes on, its late
// answers are taken for no others, and what they carry is not kept.
func TestStoppedMonitor(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, theirs := &Monitor{conn: packetConn(t, pair[0]), limit: 20 * time.Millisecond}, packetConn(t, pair[1])
	defer theirs.Close()
	defer m.Close()
	for range 3 {
		if _, err := m.ask(askOpenLog, "late"); !errors.Is(err, errGone) || !strings.Contains(err.Error(), "stopped") {
			t.Fatalf("%v", err)
		}
	}
	open := func() int { all, _ := os.ReadDir("/proc/self/fd"); return len(all) }
	before := open()
	go func() {
		request := make([]byte, 100)
		for {
			n, err := theirs.Read(request)
			if err != nil || n == 0 {
				return
			}
			if string(request[1:n]) == "late" {
				null, _ := os.Open(os.DevNull)
				answer(theirs, null, nil)
				continue
			}
			answer(theirs, nil, errors.New("the answer to "+string(request[1:n])))
		}
	}()
	m.limit = 10 * patience // of which a tenth while answers are overdue
	for _, question := range []string{"one", "two"} {
		if file, err := m.ask(askRenameLog, question); file != nil || err == nil || err.Error() != "the answer to "+question {
			t.Errorf("%s: %v, %v", question, file, err)
		}
	}
	if after := open(); after > before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

// patience bounds what a test waits for.
const patience = 20 * time.Second

// One that works on longer than its silence may last says so.
func TestMonitorAtWork(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, theirs := &Monitor{conn: packetConn(t, pair[0]), limit: patience}, packetConn(t, pair[1])
	defer theirs.Close()
	defer m.Close()
	go func() {
		theirs.Read(make([]byte, 100))
		for range 3 {
			answer(theirs, nil, working)
		}
		answer(theirs, nil, syscall.EROFS)
	}()
	if _, err := m.ask(askLearn, ""); !errors.Is(err, syscall.EROFS) {
		t.Error(err)
	}
}
