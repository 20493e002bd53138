package forward

import (
	"bufio"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// The requests' times are those that high_response_time_warning is about, and a reconfigure
// changes what is beyond the bounds.
func TestVitalsAreWatched(t *testing.T) {
	core, seen := observer.New(zap.WarnLevel)
	s := &storing{rig: startLogged(t, zap.New(core), file(t, "high_response_time_warning 10\nhigh_memory_warning 1 MB"))}
	s.origin = scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		time.Sleep(20 * time.Millisecond) // longer than the directive's
		(&asked{TCPConn: c}).say(sized(2) + "ok")
	})
	look := func(want string) {
		t.Helper()
		var lines []string
		s.srv.vitals.Look()
		for _, e := range seen.TakeAll() {
			lines = append(lines, report.Line(e.Message, e.Context))
		}
		if got := strings.Join(lines, "\n"); !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	seen.TakeAll()
	look(`WARNING: Memory usage at \d+ MB`) // nothing was served yet
	io.Copy(io.Discard, s.visit("/", ""))
	s.log(1)
	look("WARNING: Median response time is ([2-9]\\d|\\d{3,}) milliseconds\nWARNING: Memory usage at \\d+ MB")
	cfg := *s.cfg
	cfg.HighResponseTimeWarning, cfg.HighMemoryWarning = 0, 1<<50
	if err := s.srv.Swap(t.Context(), &cfg); err != nil {
		t.Fatal(err)
	}
	seen.TakeAll()
	look("")
}
