package main

import (
	"syscall"
)

// raiseDescriptorLimit lifts the soft limit on file descriptors to the wanted
// number, or to the hard limit when none is wanted, and gives what is then to be
// had. Nothing here is sized by that number, so a large one costs nothing.
func raiseDescriptorLimit(wanted int) (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	before := limit
	limit.Cur = limit.Max
	if wanted > 0 {
		limit.Cur = uint64(wanted)
		limit.Max = max(limit.Max, limit.Cur)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return before.Cur, err
	}
	return limit.Cur, nil
}
