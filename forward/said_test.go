package forward

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// said collects what goes to cache.log.
type said struct {
	zapcore.LevelEnabler
	mu    sync.Mutex
	lines []string
}

func (s *said) With([]zapcore.Field) zapcore.Core { return s }
func (s *said) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if s.Enabled(e.Level) {
		return to.AddCore(e, s)
	}
	return to
}
func (s *said) Write(e zapcore.Entry, fields []zapcore.Field) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, report.Line(e.Message, fields))
	return nil
}
func (s *said) Sync() error { return nil }

// has reports whether some line is, or begins with, the text.
func (s *said) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.lines {
		if strings.HasPrefix(line, text) {
			return true
		}
	}
	return false
}

// What operators ask debug_options for is said, and nothing of it at level 1.
func TestWhatIsSaidAtWhichLevel(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	for level, want := range map[zapcore.Level]bool{zapcore.InfoLevel: false, zapcore.Level(-2): true} {
		log := &said{LevelEnabler: level}
		r := startLogged(t, zap.New(log), file(t, "acl bad dstdomain .bad.example\nhttp_access deny bad\nhttp_access allow all\nhttp_reply_access allow all"))
		r.exchange("GET http://x.bad.example/ HTTP/1.0\r\n\r\n")
		r.exchange("GET http://" + origin + "/ HTTP/1.0\r\n\r\n")
		r.stop()
		r.done <- nil
		for _, line := range []string{
			"The request GET http://x.bad.example/ is DENIED, because it matched 'bad'",
			"The request GET http://" + origin + "/ is ALLOWED, because it matched 'all'",
			"The reply for GET http://" + origin + "/ is ALLOWED, because it matched 'all'",
			"aclCheck: checking 'http_access deny bad'", "aclMatchAclList: checking bad", "aclCheck: match found, returning 0",
			"peerSelect: GET http://" + origin + "/: DIRECT",
			"fwdConnectDone: DIRECT for http://" + origin + "/: connecting to " + origin,
			"HTTP Server REQUEST: GET / HTTP/1.0", "HTTP Server REPLY: HTTP/1.0 200 OK",
			"the store about GET http://" + origin + "/: TCP_MISS", "reply 200 of 2 octets for the store: ",
			"accepted 127.0.0.1:", "closing 127.0.0.1:",
		} {
			if got := log.has(line); got != want {
				t.Errorf("level %v: %q said: %v", level, line, got)
			}
		}
	}
}

// The lines of level 1 about bad traffic, which those who watch cache.log match.
func TestBadTrafficIsSaid(t *testing.T) {
	excess := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nA : b\r\nnonsense\r\n\r\nhihihi")
	for relaxed, forgiven := range map[conf.Tristate]bool{conf.On: false, conf.Warn: true} {
		log := &said{LevelEnabler: zapcore.InfoLevel}
		r := startLogged(t, zap.New(log), func(c *conf.Config) { c.RelaxedHeaderParser, c.CheckHostnames = relaxed, true })
		for _, request := range []string{"GET http://" + excess + "/x HTTP/1.0\r\n\r\n", "FOO / HTTP/1.0\r\n\r\n", "GET http://bad!name/ HTTP/1.0\r\n\r\n",
			"GET http://a/" + strings.Repeat("a", 9000) + " HTTP/1.0\r\n\r\n"} {
			c, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(c, request)
			c.(*net.TCPConn).CloseWrite()
			buf := make([]byte, 1<<16)
			for {
				if _, err := c.Read(buf); err != nil {
					break
				}
			}
			c.Close()
		}
		for _, line := range []string{"WARNING: unparseable HTTP header field {nonsense}", `httpReadReply: Excess data from "GET http://` + excess + `/x"`,
			"parseHttpRequest: Unsupported method 'FOO'", "urlParse: Illegal character in hostname 'bad!name'", "urlParse: URL too large (90"} {
			if !log.has(line) {
				t.Errorf("not said: %q in %q", line, log.lines)
			}
		}
		if got := log.has("NOTICE: Whitespace after header name in 'A : b'"); got != forgiven {
			t.Errorf("relaxed_header_parser %v: what is forgiven is said: %v", relaxed, got)
		}
	}
}
