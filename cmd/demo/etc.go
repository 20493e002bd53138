package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// withEtc is the first argument by which the demo is asked to run a command with
// other files in /etc. A machine of the lab has its own resolv.conf this way,
// without a trace on the machine the lab runs on.
const withEtc = "with-etc"

// etcCommand makes the command that runs another one with the files of directory
// over those of /etc. The kernel gives it mounts of its own before it starts, so
// that no thread of it ever sees, or changes, ours.
func etcCommand(directory, name string, args ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", append([]string{withEtc, directory, name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	return cmd
}

// runWithEtc is the other end: it does not return when all goes well.
func runWithEtc(args []string) error {
	if len(args) < 2 {
		return errors.New("with-etc: want a directory and a command")
	}
	if err := ownMounts(); err != nil {
		return err
	}
	directory, name := args[0], args[1]
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

// ownMounts refuses to go on in the mount namespace of the program that started us:
// mounting there would change the machine.
func ownMounts() error {
	ours, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return err
	}
	starters, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", os.Getppid()))
	if err != nil {
		return err
	}
	if ours == starters {
		return errors.New("with-etc: no mounts of our own")
	}
	return nil
}
