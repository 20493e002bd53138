package tproxy

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// try makes one attempt. Beside net.Dialer it saves five system calls of ten, and what the
// runtime does around each that might wait: nothing here does.
func (d *Dialer) try(ctx context.Context, t Target) (Socket, error) {
	fd, err := d.begin(t)
	if err != nil {
		if errors.Is(err, unix.EADDRINUSE) {
			d.count.collision.Add(1)
		}
		return nil, err
	}
	f := t.adopt(fd)
	if err := finish(ctx, f, address(t.To)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// begin opens a socket and begins to connect it.
func (d *Dialer) begin(t Target) (fd int, err error) {
	is4, family := t.To.Addr().Is4(), unix.AF_INET6
	if is4 {
		family = unix.AF_INET
	}
	n, _, e := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(family), unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if e != 0 {
		return -1, os.NewSyscallError("socket", e)
	}
	fd = int(n)
	if err = d.prepare(n, is4, t); err == nil && t.From.IsValid() {
		err = os.NewSyscallError("bind", unix.Bind(fd, address(t.From).unix()))
	}
	if err == nil {
		if e := address(t.To).connect(n); e != 0 && e != unix.EINPROGRESS && e != unix.EINTR {
			err = os.NewSyscallError("connect", e)
		}
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// finish waits until a connection is there, or has failed. Asking connect again tells it
// in one call, and on a fast network at once.
func finish(ctx context.Context, f Socket, to address) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var e syscall.Errno
	if err := raw.Control(func(fd uintptr) { e = to.connect(fd) }); err != nil {
		return err
	}
	if under(e) {
		e, err = await(ctx, f, raw, to)
	}
	switch {
	case err != nil:
		return err
	case e != 0 && e != unix.EISCONN:
		return os.NewSyscallError("connect", e)
	}
	return nil
}

// await is the slow part of finish.
func await(ctx context.Context, f Socket, raw syscall.RawConn, to address) (e syscall.Errno, err error) {
	deadline, _ := ctx.Deadline() // zero for none
	if err := f.SetWriteDeadline(deadline); err != nil {
		return 0, err // the poller does not have it
	}
	stop := context.AfterFunc(ctx, func() { f.SetWriteDeadline(time.Unix(1, 0)) })
	err = raw.Write(func(fd uintptr) bool {
		e = to.connect(fd)
		return !under(e)
	})
	if !stop() && ctx.Err() != nil {
		return 0, ctx.Err() // its deadline may stand, and the connection is of no use
	}
	if err == nil {
		err = f.SetWriteDeadline(time.Time{})
	}
	return e, err
}

// under reports whether a connection is still under way.
func under(e syscall.Errno) bool {
	return e == unix.EALREADY || e == unix.EINPROGRESS || e == unix.EINTR
}

// prepare sets what must be set before bind and connect.
func (d *Dialer) prepare(fd uintptr, is4 bool, t Target) error {
	if t.Spoof {
		if err := transparent(fd, is4); err != nil {
			return rights.Explain(err, "connecting with the client's address", cap.NET_ADMIN, cap.NET_RAW)
		}
	}
	if t.From.IsValid() {
		if err := portChoice(fd, t.From.Port()); err != nil {
			return err
		}
	}
	if t.TOS != 0 {
		if err := setTOS(fd, is4, t.TOS); err != nil {
			return err
		}
	}
	if err := set(fd, unix.SOL_TCP, unix.TCP_NODELAY, 1, "TCP_NODELAY"); err != nil {
		return err
	}
	return rights.Explain(d.apply(fd, is4), "marking sockets", cap.NET_ADMIN, cap.NET_RAW)
}
