package privsep

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mostLinks bounds the symbolic links followed on one path, as the kernel does.
const mostLinks = 40

// place is where a path leads: a folder, held by a descriptor, and a name in it.
// What is done there cannot be led elsewhere by renaming folders or by links put in
// their place meanwhile.
type place struct {
	dir     int
	name    string
	path    string // as it was given, for errors
	trusted bool   // root alone can change what is in the folder
}

func (p *place) close() { unix.Close(p.dir) }

func (p *place) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: p.path, Err: err}
}

// walk goes to the folder of a path. A symbolic link on the way is followed only
// where root alone could have put it: whoever took the serving process over may own
// folders on the path, and must not point us elsewhere. With throughLast a link of
// the last name is followed likewise.
func walk(path string, throughLast bool) (*place, error) {
	p := &place{dir: -1, path: path}
	if !strings.HasPrefix(path, "/") {
		return nil, p.failed("open", syscall.EACCES)
	}
	var err error
	if p.dir, p.trusted, err = openFolder("/"); err != nil {
		return nil, p.failed("open", err)
	}
	step := func(name string) error {
		next, trusted, err := openFolderAt(p.dir, name)
		if err == nil {
			unix.Close(p.dir)
			p.dir, p.trusted = next, trusted
		}
		return err
	}
	for rest, links := path, 0; ; {
		name, behind, more := strings.Cut(strings.TrimLeft(rest, "/"), "/")
		if !more && !throughLast {
			p.name = name
			return p, nil
		}
		target, err := readLinkAt(p.dir, name)
		switch {
		case err == nil && (!p.trusted || links == mostLinks):
			err = syscall.ELOOP
		case err == nil:
			links++
			if rest = target; more {
				rest = target + "/" + behind
			}
			if strings.HasPrefix(target, "/") {
				err = step("/")
			}
		case more:
			rest, err = behind, step(name)
		default:
			p.name = name
			return p, nil
		}
		if err != nil {
			p.close()
			return nil, p.failed("open", err)
		}
	}
}

// openAsRoot opens a file on behalf of the serving process: a regular one, so that
// nothing waits for a reader or writer, and in a folder of others only one that
// goes by no second name.
func openAsRoot(path string, flags int, mode uint32) (*os.File, error) {
	p, err := walk(path, true)
	if err != nil {
		return nil, err
	}
	defer p.close()
	return p.open(flags, mode)
}

// CouldOpenLog reports whether the monitor of a start by this process, which is root,
// would open a log that the serving process may not: the file, or a new one in its
// folder. Nothing is made.
func CouldOpenLog(path string) error {
	p, err := walk(path, true)
	if err != nil {
		return err
	}
	defer p.close()
	f, err := p.open(unix.O_WRONLY|unix.O_APPEND, 0)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, os.ErrNotExist):
		return p.failed("open", unix.Faccessat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", p.dir), unix.W_OK, 0))
	}
	return err
}

// renameAsRoot renames a regular file within its folder: a log may be a device, and
// /dev is no place to rename in.
func renameAsRoot(from, to string) error {
	p, err := walk(from, false)
	if err != nil {
		return err
	}
	defer p.close()
	dir, name := filepath.Split(to)
	if dir != from[:len(from)-len(p.name)] || p.name == "" || name == "" {
		return p.failed("rename", syscall.EACCES)
	}
	var st unix.Stat_t
	err = unix.Fstatat(p.dir, p.name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG && st.Mode&unix.S_IFMT != unix.S_IFLNK {
		err = syscall.EACCES
	}
	if err != nil {
		return p.failed("rename", err)
	}
	return p.failed("rename", unix.Renameat(p.dir, p.name, p.dir, name))
}

// open opens the file a place names.
func (p *place) open(flags int, mode uint32) (*os.File, error) {
	fd, err := unix.Openat(p.dir, p.name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, mode)
	if err != nil {
		return nil, p.failed("open", err)
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && (st.Mode&unix.S_IFMT != unix.S_IFREG || !p.trusted && st.Nlink != 1) {
		err = syscall.EACCES
	}
	if err != nil {
		unix.Close(fd)
		return nil, p.failed("open", err)
	}
	return os.NewFile(uintptr(fd), p.path), nil
}

func openFolder(path string) (fd int, trusted bool, err error) {
	return openFolderAt(unix.AT_FDCWD, path)
}

// openFolderAt opens a folder, itself no link, and reports whether root alone can
// change what is in it. A process that is not root acts for itself, and the kernel
// keeps it from more.
func openFolderAt(dir int, name string) (fd int, trusted bool, err error) {
	if fd, err = unix.Openat(dir, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
		return -1, false, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return -1, false, err
	}
	return fd, os.Geteuid() != 0 || st.Uid == 0 && st.Mode&0o022 == 0, nil
}

// readLinkAt gives where a symbolic link points; an error for what is none.
func readLinkAt(dir int, name string) (string, error) {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, target)
	return string(target[:max(n, 0)]), err
}
