package netlab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// Node is one network namespace.
type Node struct {
	// Name is the name within the lab, Namespace the one `ip netns` shows.
	Name, Namespace string

	lab   *Lab
	here  bool     // not made by the lab: the namespace it was started in
	ends  []string // interfaces the lab made here
	ns    netns.NsHandle
	link  *netlink.Handle
	procs processes
}

// Node adds a namespace with its loopback up and IPv6 addresses usable at once.
func (l *Lab) Node(name string) *Node {
	n := &Node{Name: name, lab: l, ns: netns.None()}
	l.step("node "+name, func() error {
		if err := n.create(); err != nil {
			return err
		}
		l.mu.Lock()
		l.nodes = append(l.nodes, n)
		l.mu.Unlock()
		return n.prepare()
	})
	return n
}

// Here is the namespace of the calling thread as a node: links to it are made and
// removed with the others, the namespace itself is left alone.
func (l *Lab) Here() *Node {
	n := &Node{Name: "here", lab: l, here: true, ns: netns.None()}
	l.step("the namespace we are in", func() (err error) {
		if n.ns, err = netns.Get(); err != nil {
			return err
		}
		if n.link, err = netlink.NewHandleAt(n.ns); err != nil {
			return err
		}
		l.mu.Lock()
		l.nodes = append(l.nodes, n)
		l.mu.Unlock()
		return nil
	})
	return n
}

func (n *Node) create() error {
	n.Namespace = fmt.Sprintf("%s-%d-%d-%s", n.lab.prefix, os.Getpid(), n.lab.number, n.Name)
	if err := sharedNames(); err != nil {
		return err
	}
	return onOwnThread(func() error {
		ns, err := netns.NewNamed(n.Namespace)
		if err != nil {
			return err
		}
		n.ns = ns
		return nil
	})
}

func (n *Node) prepare() error {
	var err error
	if n.link, err = netlink.NewHandleAt(n.ns); err != nil {
		return err
	}
	lo, err := n.link.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := n.link.LinkSetUp(lo); err != nil {
		return err
	}
	return n.Do(func() error {
		return errors.Join(
			writeSysctl("net.ipv6.conf.all.accept_dad", "0"),
			writeSysctl("net.ipv6.conf.default.accept_dad", "0"))
	})
}

// Do runs f inside the namespace, on a thread locked for as long as f takes.
func (n *Node) Do(f func() error) error {
	if !n.ns.IsOpen() {
		return fmt.Errorf("netlab: node %s has no namespace", n.Name)
	}
	return onOwnThread(func() error {
		if err := netns.Set(n.ns); err != nil {
			return fmt.Errorf("entering namespace %s: %w", n.Namespace, err)
		}
		return f()
	})
}

// onOwnThread runs f on a locked thread and takes the thread back to the
// namespace it came from. A thread that cannot be taken back is never used again.
func onOwnThread(f func() error) error {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	defer func() {
		if netns.Set(home) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return f()
}

// Sysctl sets a kernel variable, named with dots as sysctl(8) does. A dot that
// belongs to an interface name is written as a slash.
func (n *Node) Sysctl(name, value string) {
	n.lab.step(fmt.Sprintf("%s: sysctl %s=%s", n.Name, name, value), func() error {
		return n.Do(func() error { return writeSysctl(name, value) })
	})
}

// ReadSysctl reads a kernel variable of the namespace.
func (n *Node) ReadSysctl(name string) (string, error) {
	var value []byte
	err := n.Do(func() (err error) {
		value, err = os.ReadFile(sysctlPath(name))
		return err
	})
	return strings.TrimSpace(string(value)), err
}

func sysctlPath(name string) string {
	swapped := strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '/'
		case '/':
			return '.'
		}
		return r
	}, name)
	return filepath.Join("/proc/sys", swapped)
}

func writeSysctl(name, value string) error {
	// Without O_CREAT: a variable that does not exist is an error worth reading.
	f, err := os.OpenFile(sysctlPath(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// close ends the processes of the namespace and removes it.
func (n *Node) close() error {
	n.procs.stopAll()
	for _, end := range n.ends {
		// The kernel would do it too, but only some time after the other end's
		// namespace is gone.
		if link, err := n.link.LinkByName(end); err == nil {
			n.link.LinkDel(link)
		}
	}
	if n.link != nil {
		n.link.Close()
	}
	var err error
	if !n.here {
		killInside(n.ns)
		err = removeNamed(n.Namespace)
	}
	if n.ns.IsOpen() {
		err = errors.Join(err, n.ns.Close())
	}
	return err
}
