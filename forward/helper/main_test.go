package helper

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// The test binary is the helper of these tests, in a manner that its first argument
// names.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "as-helper" {
		behave(os.Args[2], os.Args[3:])
		return
	}
	goleak.VerifyTestMain(m)
}

// behave answers questions as the tests want it.
func behave(manner string, args []string) {
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	in.Buffer(nil, 2*MaxQuestion)
	switch manner {
	case "spawner":
		file := os.NewFile(3, "remote")
		c, err := net.FileConn(file)
		file.Close()
		if err != nil {
			os.Exit(1)
		}
		ServeSpawner(c.(*net.UnixConn), func(args []string) bool { return args[0] != "/forbidden" })
		return
	case "greeting":
		fmt.Println("hello, here I am")
	case "environment":
		args = os.Environ()
	case "complaining":
		for range 200 {
			fmt.Fprintln(os.Stderr, "this helper\tcomplains")
		}
	case "dying":
		os.Exit(7)
	case "deaf":
		time.Sleep(time.Hour) // the runtime ends a process of which nothing can go on
	}
	var kept []string
	for in.Scan() {
		channel, question := "", in.Text()
		if strings.HasSuffix(manner, "channels") {
			number, rest, _ := strings.Cut(question, " ")
			channel, question = number+" ", rest
		}
		word, rest, _ := strings.Cut(question, " ")
		switch {
		case manner == "backwards channels":
			if kept = append(kept, channel+question); word == "now" {
				for i := range kept {
					fmt.Fprintln(out, kept[len(kept)-1-i])
				}
				kept = nil
			}
		case len(args) > 0:
			fmt.Fprintln(out, strings.Join(args, " "))
		case word == "pid":
			fmt.Fprintln(out, channel+fmt.Sprint(os.Getpid()))
		case word == "die":
			out.Flush()
			os.Exit(3)
		case word == "say": // raw text, with \n for line ends
			fmt.Fprint(out, strings.ReplaceAll(rest, `\n`, "\n"))
		case word == "wait": // until the file is there
			for {
				if _, err := os.Stat(rest); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
			fmt.Fprintln(out, channel+"waited")
		case word == "again": // what nobody asked for, once the file is there
			fmt.Fprintln(out, channel+question)
			out.Flush()
			for {
				if _, err := os.Stat(rest); err == nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
			fmt.Fprintln(out, channel+"unasked")
		case word == "silence":
		case word == "flood":
			for range 1000 {
				fmt.Fprint(out, strings.Repeat("x", 1024))
			}
			fmt.Fprintln(out)
		default:
			fmt.Fprintln(out, channel+question)
		}
		out.Flush()
	}
}

// program is the command line of a helper that behaves in a manner.
func program(manner string, args ...string) []string {
	return append([]string{"/proc/self/exe", "as-helper", manner}, args...)
}

// newPool starts a pool that the end of the test ends, and gives its log.
func newPool(t testing.TB, o Options) (*Pool, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.InfoLevel)
	o.Log = zap.New(core)
	if o.Name == "" {
		o.Name = "tester"
	}
	if o.Children == 0 {
		o.Children = 1
	}
	if o.Program[0] == "/proc/self/exe" {
		o.Program[0], _ = os.Executable()
	}
	p := NewPool(o)
	t.Cleanup(func() {
		p.Kill()
		p.Wait()
	})
	return p, logs
}

// logged reports whether a line of the log contains text.
func logged(logs *observer.ObservedLogs, text string) bool {
	for _, e := range logs.All() {
		if strings.Contains(report.Line(e.Message, e.Context), text) {
			return true
		}
	}
	return false
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}
