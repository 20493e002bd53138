package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// errnoText is the C library's wording of an error number: Go's begins with a
// small letter.
func errnoText(e syscall.Errno) string {
	s := e.Error()
	return strings.ToUpper(s[:1]) + s[1:]
}

// sysText writes an error as 2.6 does, "(98) Address already in use", or as it
// is when no system call is behind it.
func sysText(err error) string {
	var e syscall.Errno
	if errors.As(err, &e) {
		return fmt.Sprintf("(%d) %s", int(e), errnoText(e))
	}
	return err.Error()
}
