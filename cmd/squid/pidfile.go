package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// errNoPidFile says that pid_filename is "none".
var errNoPidFile = errors.New("no pid file name defined")

// readPid gives the process id in a pid file, 0 when the file is absent or
// holds none. As in 2.6 only its beginning counts.
func readPid(path string) (int, error) {
	if path == "" || path == "none" {
		return 0, errNoPidFile
	}
	text, err := pidText(path)
	if err != nil {
		return 0, nil
	}
	return max(leadingNumber(text), 0), nil
}

// pidText gives the beginning of a pid file. What stands in its place may be
// somebody else's making: nothing is waited for, and no more than a number read.
func pidText(path string) (string, error) {
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

// runningCopy gives the process id of a running copy, 0 for none. A pid file
// that holds our own id is left over from before a restart in which numbers
// repeat, as they do in containers.
func runningCopy(pidFile string) int {
	pid, err := readPid(pidFile)
	if err != nil || pid < 2 || pid == os.Getpid() {
		return 0
	}
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return 0
	}
	return pid
}

// writePid writes the pid file. It is replaced as a whole, so that a reader
// never meets half a number, and a symbolic link in its place is not followed.
func writePid(path string, pid int) error {
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

// removePid removes the pid file if it still names us: a copy started meanwhile
// keeps its own.
func removePid(path string, pid int) error {
	if path == "" || path == "none" {
		return nil
	}
	text, err := pidText(path)
	if err != nil || strings.TrimSpace(text) != strconv.Itoa(pid) {
		return nil
	}
	return os.Remove(path)
}
