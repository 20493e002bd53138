package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
)

// A probe is one question about a file: may the user the proxy will run as
// read, write or execute it? Only the kernel knows (groups, access lists,
// mounts), so the question is put by a child that has become that user.
type probe struct {
	mode byte // 'r', 'w' or 'x'
	path string
}

var accessModes = map[byte]uint32{'r': unix.R_OK, 'w': unix.W_OK, 'x': unix.X_OK}

// askProbes gives an answer per probe: nil when it may be done.
func askProbes(inv *invocation, id privsep.Identity, probes []probe) ([]error, error) {
	var questions, out bytes.Buffer
	for _, p := range probes {
		fmt.Fprintf(&questions, "%c%s\n", p.mode, p.path)
	}
	cmd := reexec(inv, roleProbe, "(squid-probe)")
	cmd.Stdin, cmd.Stdout, cmd.Dir = &questions, &out, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: id.Credential()}
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	answers := make([]error, len(probes))
	for i, word := range strings.Fields(out.String()) {
		if number, err := strconv.Atoi(word); err == nil && number != 0 && i < len(answers) {
			answers[i] = syscall.Errno(number)
		}
	}
	return answers, nil
}

// answerProbes is the child: an error number per line, 0 for none.
func answerProbes(in io.Reader, out io.Writer) int {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		line := lines.Text()
		var number syscall.Errno
		if line == "" || !errors.As(unix.Access(line[1:], accessModes[line[0]]), &number) {
			number = 0
		}
		fmt.Fprintln(out, int(number))
	}
	return exitGood
}

// isFolder says whether a path is a folder that is there.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
