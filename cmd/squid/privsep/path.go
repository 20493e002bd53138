package privsep

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mostLinks bounds the symbolic links followed on one path, as the kernel does.
const mostLinks = 40

// openAsRoot opens a file on behalf of the serving process. A symbolic link on
// the way is followed only where root alone could have put it, and a file in a
// folder of others only when it goes by no second name: whoever took the serving
// process over may own folders on the path, and must not point us elsewhere.
// What is opened is a regular file, so that nothing waits for a reader or writer.
func openAsRoot(path string, flags int, mode uint32) (*os.File, error) {
	refused := func(err error) (*os.File, error) { return nil, &os.PathError{Op: "open", Path: path, Err: err} }
	if !strings.HasPrefix(path, "/") {
		return refused(syscall.EACCES)
	}
	dir, trusted, err := openFolder("/")
	if err != nil {
		return refused(err)
	}
	defer func() { unix.Close(dir) }()
	step := func(name string) error {
		next, own, err := openFolderAt(dir, name)
		if err == nil {
			unix.Close(dir)
			dir, trusted = next, own
		}
		return err
	}
	for rest, links := path, 0; ; {
		name, behind, more := strings.Cut(strings.TrimLeft(rest, "/"), "/")
		target, err := readLinkAt(dir, name)
		switch {
		case err == nil && (!trusted || links == mostLinks):
			return refused(syscall.ELOOP)
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
			return openRegular(dir, name, path, flags, mode, trusted)
		}
		if err != nil {
			return refused(err)
		}
	}
}

// openRegular opens the last name of a path.
func openRegular(dir int, name, path string, flags int, mode uint32, trusted bool) (*os.File, error) {
	fd, err := unix.Openat(dir, name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, mode)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && (st.Mode&unix.S_IFMT != unix.S_IFREG || !trusted && st.Nlink != 1) {
		err = syscall.EACCES
	}
	if err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func openFolder(path string) (fd int, trusted bool, err error) {
	return openFolderAt(unix.AT_FDCWD, path)
}

// openFolderAt opens a folder, itself no link, and reports whether root alone can
// change what is in it.
func openFolderAt(dir int, name string) (fd int, trusted bool, err error) {
	if fd, err = unix.Openat(dir, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err != nil {
		return -1, false, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return -1, false, err
	}
	return fd, st.Uid == 0 && st.Mode&0o022 == 0, nil
}

// readLinkAt gives where a symbolic link points; an error for what is none.
func readLinkAt(dir int, name string) (string, error) {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, target)
	return string(target[:max(n, 0)]), err
}
