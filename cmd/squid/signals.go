package main

import (
	"os"
	"os/signal"
	"syscall"
)

// catchSignals begins to collect the signals a serving process answers, from
// before it is ready: one that comes early waits and is not lost.
func catchSignals() chan os.Signal {
	ch := make(chan os.Signal, 16)
	signal.Notify(ch, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2)
	signal.Ignore(syscall.SIGPIPE)
	return ch
}
