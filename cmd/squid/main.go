package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
	"github.com/cuttle-proxy/cuttle/conf"
)

// Exit statuses. 2.6 ends most fatal errors by abort(), which a shell sees as
// 134; we give the status without the core file.
const (
	exitGood  = 0
	exitBad   = 1
	exitFatal = 134
)

// invocation is one run of the command: its command line and its streams.
type invocation struct {
	flags          flags
	program        string
	stdout, stderr io.Writer
}

func main() {
	role := os.Getenv(roleVariable)
	os.Unsetenv(roleVariable) // helper programs are none of our roles
	nameProcess(role)
	os.Exit(invoke(os.Args, role, os.Stdout, os.Stderr))
}

// invoke does what the arguments, or the role of a re-executed child, ask for
// and gives the exit status.
func invoke(args []string, role string, stdout, stderr io.Writer) int {
	inv := &invocation{program: "squid", stdout: stdout, stderr: stderr}
	if len(args) > 0 {
		inv.program = args[0]
		args = args[1:]
	}
	var err error
	if inv.flags, err = parseFlags(inv.program, args); err != nil {
		return inv.misunderstood(err)
	}
	if inv.flags.confFile == "" {
		inv.flags.confFile = conf.DefaultPaths().ConfigFile
	}
	switch f := inv.flags; {
	case f.help:
		writeUsage(stderr, inv.program)
		return exitBad
	case f.version:
		writeVersion(stdout)
		return exitGood
	case role == roleMonitor, role == formerMonitor:
		return monitor(inv)
	case role == roleSpawner:
		tuneWaiting()
		return inv.outcome(privsep.ServeSpawner())
	case role == roleProbe:
		return answerProbes(os.Stdin, stdout)
	case role == roleSupervisor:
		return supervise(inv, os.NewFile(readyDescriptor, "ready"))
	case f.order != "":
		o, _ := findOrder(f.order)
		return o.run(inv)
	case f.createSwap:
		return createSwap(inv)
	}
	return start(inv, role)
}

// monitor is the life of the process that stays root.
func monitor(inv *invocation) int {
	tuneWaiting()
	return inv.outcome(privsep.Serve(inv.flags.confFile, resolvingWorld{}, func() *exec.Cmd {
		return reexec(inv, roleSpawner, "(squid-spawner)")
	}))
}

func (inv *invocation) misunderstood(err error) int {
	if err.Error() != "" {
		fmt.Fprintln(inv.stderr, err)
	}
	if errors.As(err, &usageError{}) {
		writeUsage(inv.stderr, inv.program)
	}
	return exitBad
}

func writeUsage(w io.Writer, program string) {
	fmt.Fprintf(w, "Usage: %s [-hvzCDFNRSYX] [-d level] [-s | -l facility] [-f config-file] [-u port] [-k order]\n", filepath.Base(program))
	fmt.Fprintf(w, `       -d level     copy cache.log lines up to this level to standard error
       -f file      configuration to use (built in: %s)
       -h           this text
       -k order     one of the following; all but our own act on the running copy
`, conf.DefaultPaths().ConfigFile)
	for _, o := range orders() {
		fmt.Fprintf(w, "          %-13s %s\n", o.word, o.help)
	}
	fmt.Fprint(w, `       -s           log to syslog too (facility local4)
       -l facility  log to syslog too, under this facility
       -u port      ICP port (instead of icp_port); 0 for none
       -v           version, or more words with the orders that have them
       -z           make the cache directories
       -F           serve only when the cache directories have been read
       -N           stay in the foreground, unsupervised
       -S           compare the length of each cached object's file with the index
       -X           full debugging from the first line on
       --foreground stay in the foreground, supervised
       -C -D -R -Y are taken for the sake of scripts and change nothing
`)
}
