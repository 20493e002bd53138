package report

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"go.uber.org/zap"
)

// ErrnoText is the C library's wording of an error number: Go's begins with a
// small letter.
func ErrnoText(e syscall.Errno) string {
	s := e.Error()
	return strings.ToUpper(s[:1]) + s[1:]
}

// SystemText writes an error as 2.6 does, "(98) Address already in use", or as it
// is when no system call is behind it.
func SystemText(err error) string {
	var e syscall.Errno
	if errors.As(err, &e) {
		return fmt.Sprintf("(%d) %s", int(e), ErrnoText(e))
	}
	return err.Error()
}

// Error is the field of an error that reads in a line as it is; zap.Error's reads as
// SystemText has it.
func Error(err error) zap.Field { return zap.String("error", fmt.Sprint(err)) }
