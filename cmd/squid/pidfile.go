package main

import (
	"errors"
	"fmt"
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
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, nil
	}
	return max(leadingNumber(string(data)), 0), nil
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
	data, err := os.ReadFile(path)
	if err != nil || strings.TrimSpace(string(data)) != strconv.Itoa(pid) {
		return nil
	}
	return os.Remove(path)
}
