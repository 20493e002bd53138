package helper

import (
	"os"
	"strings"
)

// Command is a program to start.
type Command struct {
	// Args is the program's path and its arguments.
	Args []string
	// Stdin, Stdout and Stderr are what the program gets for these; it gets no
	// other descriptor. They remain the caller's to close.
	Stdin, Stdout, Stderr *os.File
}

// Process is a program that was started.
type Process interface {
	// Pid is its process id.
	Pid() int
	// Kill ends it, and what it started itself.
	Kill()
	// Wait waits for its end and says in words how it ended.
	Wait() string
}

// Spawner starts programs, as the user and with the environment they are to have.
type Spawner interface {
	Start(Command) (Process, error)
}

// Environment is what a program gets of an environment: all of it (KRB5_KTNAME and
// the like are meant for helpers), but nothing that would have the dynamic linker
// load something else, and nothing that is meant for the daemon alone.
func Environment(env []string) []string {
	kept := make([]string, 0, len(env))
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		switch {
		case strings.HasPrefix(name, "LD_"), strings.HasPrefix(name, "CUTTLE_"), strings.HasPrefix(name, "LISTEN_"):
		case name == "NOTIFY_SOCKET", name == "WATCHDOG_PID", name == "WATCHDOG_USEC", name == "GODEBUG", name == "GOTRACEBACK":
		default:
			kept = append(kept, v)
		}
	}
	return kept
}
