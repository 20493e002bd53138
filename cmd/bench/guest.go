package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// guestWord is the first argument of a bench that is the first process of a guest.
const guestWord = "guest"

// guestMemory is enough for 20,000 connections with both their ends.
const guestMemory = "4G"

// inGuest has another kernel do the measurement, User Mode Linux: a process whose own
// processes may have as many descriptors as they like, where this machine's may not. It
// sees this machine's files, and can change none.
func (c *choices) inGuest(bin string) error {
	linux, err := exec.LookPath("linux.uml")
	if err != nil {
		return errors.New("-guest needs User Mode Linux: apt-get install user-mode-linux iptables")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "bench-guest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)
	given := map[string]string{"with": ""} // each other one takes as long again
	flag.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })
	given["bin"] = bin
	delete(given, "guest")
	args := []string{"mem=" + guestMemory, "loglevel=0", "rootfstype=hostfs", "rootflags=/", "ro",
		"con=null", "con0=null,fd:1", "console=tty0", "init=" + self, "--", guestWord}
	for name, value := range given {
		args = append(args, "-"+name+"="+value)
	}
	if at := slices.IndexFunc(args, func(a string) bool { return strings.ContainsAny(a, " \"") }); at >= 0 {
		return fmt.Errorf("-guest: %q cannot be said to a kernel", args[at])
	}
	cmd := exec.Command(linux, args...)
	cmd.Env = append(os.Environ(), "HOME="+home) // where it leaves a socket
	var boot strings.Builder                     // of no interest, unless there is no more
	cmd.Stdout, cmd.Stderr = os.Stdout, &boot
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, boot.String())
	}
	return nil
}

// guestDescriptors is what a process may have there.
const guestDescriptors = 1 << 20

// beGuest is the first process of the guest, after which there is none.
func beGuest() {
	err := furnish()
	if err == nil {
		cmd := exec.Command("/proc/self/exe", os.Args[2:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
		err = cmd.Run()
	}
	if err != nil {
		fmt.Println("guest:", err)
	}
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// furnish gives the guest what a bench needs.
func furnish() error {
	os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
	os.Setenv("TMPDIR", "/run") // and /tmp stays what it is: programs may lie there
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"tmpfs", "/run"}} {
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil {
			return fmt.Errorf("%s: %w", m[1], err)
		}
	}
	if err := os.WriteFile("/proc/sys/fs/nr_open", fmt.Append(nil, guestDescriptors), 0); err != nil {
		return err
	}
	limit := syscall.Rlimit{Cur: guestDescriptors, Max: guestDescriptors}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	modules := filepath.Join("/usr/lib/uml/modules", unix.ByteSliceToString(name.Release[:]))
	list, err := os.ReadFile(filepath.Join(modules, "modules.dep"))
	if err != nil {
		return err
	}
	for _, module := range dependencies(string(list), "iptable_nat", "xt_REDIRECT", "xt_tcpudp") {
		if err := load(filepath.Join(modules, module)); err != nil {
			return err
		}
	}
	return nil
}

// dependencies are the files of modules and of all they need, what is needed first; list
// is a modules.dep, which names all of it, last what is needed first.
func dependencies(list string, names ...string) (files []string) {
	for line := range strings.Lines(list) {
		file, needs, _ := strings.Cut(line, ":")
		if !slices.Contains(names, strings.TrimSuffix(filepath.Base(file), ".ko")) {
			continue
		}
		for _, f := range append([]string{file}, strings.Fields(needs)...) {
			files = slices.Insert(slices.DeleteFunc(files, func(has string) bool { return has == f }), 0, f)
		}
	}
	return files
}

func load(module string) error {
	f, err := os.Open(module)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%s: %w", module, err)
	}
	return nil
}
