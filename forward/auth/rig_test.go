package auth

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// The test binary is the helper of these tests: it notes its questions in a file and
// answers as its further arguments say, QUESTION=ANSWER, "*" being any question.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "as-helper" {
		behave(os.Args[2], os.Args[3:])
		return
	}
	goleak.VerifyTestMain(m)
}

func behave(file string, answers []string) {
	note, _ := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Fprintln(note, in.Text())
		answer := "ERR"
		for _, a := range answers {
			if question, said, _ := strings.Cut(a, "="); question == "*" || question == in.Text() {
				answer = said
				break
			}
		}
		fmt.Println(answer)
	}
}

// rig is an Authenticator with helpers, a clock, and what the helpers were asked.
type rig struct {
	*Authenticator
	t     testing.TB
	asked string
	clock time.Time
	logs  *observer.ObservedLogs
	stop  []*helper.Pool
}

// newRig takes auth_param lines without the programs, and the answers of all helpers.
func newRig(t testing.TB, memory *Memory, lines string, answers ...string) *rig {
	t.Helper()
	self, _ := os.Executable()
	r := &rig{t: t, asked: filepath.Join(t.TempDir(), "asked"), clock: time.Now()}
	for _, scheme := range []string{"basic", "digest", "ntlm", "negotiate"} {
		if strings.Contains(lines, "auth_param "+scheme) {
			lines += fmt.Sprintf("\nauth_param %s program %s", scheme, self)
		}
	}
	file := filepath.Join(t.TempDir(), "squid.conf")
	os.WriteFile(file, []byte("http_port 127.0.0.1:3128\nacl all src 0.0.0.0/0.0.0.0\nvisible_hostname proxy.test\n"+lines+"\n"), 0o600)
	cfg, report := conf.Load(file, conf.Options{})
	if cfg == nil {
		t.Fatal(report.Lines)
	}
	for _, s := range cfg.AuthSchemes {
		s.Program = append([]string{self, "as-helper", r.asked}, answers...)
	}
	core, logs := observer.New(zap.InfoLevel)
	r.logs = logs
	if memory == nil {
		memory = NewMemory()
	}
	r.Authenticator = New(Options{Settings: &cfg.AuthSettings, Memory: memory, Log: zap.New(core), Now: func() time.Time { return r.clock },
		Start: func(o helper.Options) *helper.Pool {
			p := helper.NewPool(o)
			r.stop = append(r.stop, p)
			return p
		}})
	t.Cleanup(func() {
		for _, p := range r.stop {
			p.Kill()
			p.Wait()
		}
	})
	return r
}

// check tries a field's value, on a connection or none.
func (r *rig) check(field string, c *Conn) *Login {
	return r.checkMethod(field, "GET", c)
}

func (r *rig) checkMethod(field, method string, c *Conn) *Login {
	l := new(Login)
	q := Request{Field: []byte(field), Method: method, Conn: c}
	if field == "" {
		q.Field = nil
	}
	r.Check(context.Background(), l, q)
	return l
}

// questions are what the helpers were asked since the last call.
func (r *rig) questions() string {
	text, _ := os.ReadFile(r.asked)
	os.Truncate(r.asked, 0)
	return strings.ReplaceAll(strings.TrimSuffix(string(text), "\n"), "\n", "|")
}

func encoded(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}
