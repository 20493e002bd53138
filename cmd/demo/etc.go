package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// withEtc is the first argument by which the demo is asked to run a command with
// other files in /etc. A machine of the lab has its own resolv.conf this way,
// without a trace on the machine the lab runs on.
const withEtc = "with-etc"

// etcCommand makes the command that runs another one with the files of directory
// over those of /etc.
func etcCommand(directory, name string, args ...string) *exec.Cmd {
	return exec.Command("/proc/self/exe", append([]string{withEtc, directory, name}, args...)...)
}

// runWithEtc is the other end: it does not return when all goes well.
func runWithEtc(args []string) error {
	if len(args) < 2 {
		return errors.New("with-etc: want a directory and a command")
	}
	directory, name := args[0], args[1]
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("own mounts: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	files, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, file := range files {
		over := filepath.Join("/etc", file.Name())
		if _, err := os.Stat(over); err != nil {
			continue // nothing to hide
		}
		if err := unix.Mount(filepath.Join(directory, file.Name()), over, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", over, err)
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	return unix.Exec(path, append([]string{name}, args[2:]...), os.Environ())
}
