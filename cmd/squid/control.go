package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/forward/delay"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// A running copy answers questions on a socket in the abstract namespace, named
// after its process id: it needs no file, no right and no cleaning up. Who may
// ask is decided by who asks (root, or the user the copy runs as), and who asks
// checks that the answer comes from the process of the pid file.

func controlAddress(pid int) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("@cuttle-control-%d", pid)}
}

// controlLimit bounds how long one question may take.
const controlLimit = 10 * time.Second

// serveControl answers questions until the listener is closed. answers maps a
// question to what writes its answer.
func serveControl(l *net.UnixListener, answers map[string]func(io.Writer) error) {
	for {
		c, err := l.AcceptUnix()
		switch {
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
			time.Sleep(100 * time.Millisecond) // questions wait until there are descriptors again
			continue
		case err != nil:
			return
		}
		go answerControl(c, answers)
	}
}

// answerControl answers one question.
func answerControl(c *net.UnixConn, answers map[string]func(io.Writer) error) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(controlLimit))
	cred, err := peerOf(c)
	if err != nil || cred.Uid != 0 && int(cred.Uid) != os.Geteuid() {
		return
	}
	question, _ := bufio.NewReader(io.LimitReader(c, 100)).ReadString('\n')
	question = strings.TrimSpace(question)
	if question == reconfigureQuestion {
		c.SetDeadline(time.Now().Add(reconfigureLimit))
	}
	if answer, known := answers[question]; known {
		answer(c)
	}
}

// peerOf tells who is at the other end of a socket.
func peerOf(c *net.UnixConn) (cred *unix.Ucred, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	outer := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err == nil {
		err = outer
	}
	return cred, err
}

// dialCopy connects to a process that answers questions.
func dialCopy(pid int) (*net.UnixConn, error) {
	c, err := net.DialUnix("unix", nil, controlAddress(pid))
	if err != nil {
		return nil, fmt.Errorf("process %d does not answer questions: %w", pid, err)
	}
	if cred, err := peerOf(c); err != nil || int(cred.Pid) != pid {
		c.Close()
		return nil, fmt.Errorf("process %d does not answer questions: another process answers in its place", pid)
	}
	return c, nil
}

// askCopy asks the running copy a question and writes its answer.
func askCopy(pid int, question string, to io.Writer, limit time.Duration) error {
	c, err := dialCopy(pid)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(limit))
	if _, err := io.WriteString(c, question+"\n"); err != nil {
		return err
	}
	n, err := io.Copy(to, c)
	if err == nil && n == 0 {
		return fmt.Errorf("process %d refused to answer (only root and its own user may ask)", pid)
	}
	return err
}

// questionOrder makes an order of -k that asks the running copy a question of
// the same name, with --json for the form programs read.
func questionOrder(question string) func(*invocation) int {
	return func(inv *invocation) int {
		cfg, status := inv.skim()
		if cfg == nil {
			return status
		}
		pid := runningCopy(cfg.PidFilename)
		if pid == 0 {
			fmt.Fprintln(inv.stderr, "squid: ERROR: No running copy")
			return exitBad
		}
		form := question
		if inv.asked("json") {
			form += " json"
		}
		if err := askCopy(pid, form, inv.stdout, controlLimit); err != nil {
			fmt.Fprintln(inv.stderr, "squid: ERROR:", err)
			return exitBad
		}
		return exitGood
	}
}

// openControl begins to answer questions about the process. Without it the
// proxy serves all the same.
func (p *process) openControl() {
	l, err := net.ListenUnix("unix", controlAddress(os.Getpid()))
	if err != nil {
		p.log.Warn("WARNING: questions by -k wccp, -k network, -k helpers, -k store, -k peers and -k delay cannot be answered: {error}", zap.Error(err))
		return
	}
	p.control = l
	go serveControl(l, map[string]func(io.Writer) error{
		"wccp":      p.host.WriteWCCP,
		"wccp json": p.host.WriteWCCPJSON,

		"helpers":      p.writeHelpers,
		"helpers json": p.writeHelpersJSON,

		"store":      func(w io.Writer) error { st := p.server.StoreStats(); return st.WriteText(w) },
		"store json": func(w io.Writer) error { st := p.server.StoreStats(); return st.WriteJSON(w) },

		"network":      p.host.WriteNetwork,
		"network json": p.host.WriteNetworkJSON,

		"peers":      func(w io.Writer) error { return peer.WriteStatus(w, p.server.Peers()) },
		"peers json": func(w io.Writer) error { return peer.WriteStatusJSON(w, p.server.Peers()) },

		"delay":      func(w io.Writer) error { return delay.WriteStatus(w, p.server.DelayPools()) },
		"delay json": func(w io.Writer) error { return delay.WriteStatusJSON(w, p.server.DelayPools()) },

		reconfigureQuestion: p.orderReconfigure,
	})
}

// writeHelpers answers -k helpers.
func (p *process) writeHelpers(w io.Writer) error { return helper.WriteText(w, p.server.Helpers()) }

func (p *process) writeHelpersJSON(w io.Writer) error {
	return json.NewEncoder(w).Encode(p.server.Helpers())
}
