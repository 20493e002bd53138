package privsep

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// PidText gives the beginning of a pid file. What stands in its place may be
// somebody else's making: nothing is waited for, and no more than a number read.
func PidText(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", errors.Join(err, syscall.EINVAL)
	}
	return beginning(f)
}

func beginning(f *os.File) (string, error) {
	text, err := io.ReadAll(io.LimitReader(f, 64))
	return string(text), err
}

// pidPlace goes to the folder of the pid file; nil for a file that is not wanted.
func pidPlace(path string) (*place, error) {
	if path == "" || path == "none" {
		return nil, nil
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	return walk(whole, false)
}

// WritePid writes the pid file. It is replaced as a whole, so that a reader meets the
// old one or the new one and never none, and a symbolic link in its place is not followed.
func WritePid(path string, pid int) error {
	p, err := pidPlace(path)
	if p == nil || err != nil {
		return err
	}
	defer p.close()
	name := p.name
	p.name = fmt.Sprintf(".squid.pid.%d", pid) // no other copy's
	if err := p.writeAnew(strconv.Itoa(pid) + "\n"); err != nil {
		return fmt.Errorf("cannot write the pid file: %w", err)
	}
	if err := unix.Renameat(p.dir, p.name, p.dir, name); err != nil {
		unix.Unlinkat(p.dir, p.name, 0)
		return fmt.Errorf("cannot replace the pid file: %w", err)
	}
	return nil
}

// writeAnew makes a file that everybody may read, in place of one left over.
func (p *place) writeAnew(text string) error {
	if err := unix.Unlinkat(p.dir, p.name, 0); err != nil && err != unix.ENOENT {
		return err
	}
	f, err := p.open(unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if err = f.Chmod(0o644); err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		unix.Unlinkat(p.dir, p.name, 0)
	}
	return err
}

// RemovePid removes the pid file if it still names us: a copy started meanwhile
// keeps its own.
func RemovePid(path string, pid int) error {
	p, err := pidPlace(path)
	if p == nil || err != nil {
		return nil
	}
	defer p.close()
	f, err := p.open(unix.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if text, err := beginning(f); err != nil || strings.TrimSpace(text) != strconv.Itoa(pid) {
		return nil
	}
	return p.failed("remove", unix.Unlinkat(p.dir, p.name, 0))
}
