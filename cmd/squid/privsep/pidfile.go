package privsep

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
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
	text, err := io.ReadAll(io.LimitReader(f, 64))
	return string(text), err
}

// WritePid writes the pid file. It is replaced as a whole, so that a reader
// never meets half a number, and a symbolic link in its place is not followed.
func WritePid(path string, pid int) error {
	if path == "" || path == "none" {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot replace the pid file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("cannot write the pid file: %w", err)
	}
	defer f.Close()
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	_, err = f.WriteString(strconv.Itoa(pid) + "\n")
	return err
}

// RemovePid removes the pid file if it still names us: a copy started meanwhile
// keeps its own.
func RemovePid(path string, pid int) error {
	if path == "" || path == "none" {
		return nil
	}
	text, err := PidText(path)
	if err != nil || strings.TrimSpace(text) != strconv.Itoa(pid) {
		return nil
	}
	return os.Remove(path)
}
