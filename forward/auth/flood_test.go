package auth

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// Ten thousand logins at once over a helper that does not answer: as many wait as its
// queue holds, the others are refused without waiting, few log lines say so, and when the
// helper answers at last everybody who waited gets his own verdict.
func TestLoginFlood(t *testing.T) {
	const logins = 10_000
	open := filepath.Join(t.TempDir(), "open")
	core, logs := observer.New(zap.InfoLevel)
	var pool *helper.Pool
	a := New(Options{Memory: NewMemory(), Log: zap.New(core), Settings: &conf.AuthSettings{AuthSchemes: []*conf.AuthScheme{{
		Name: "basic", Children: 1, CaseSensitive: true,
		Program: []string{"/bin/sh", "-c", `while [ ! -e "$0" ]; do sleep 0.01; done; while read -r user rest; do case "$user" in *7) echo ERR;; *) echo OK;; esac; done`, open},
	}}}, Start: func(o helper.Options) *helper.Pool {
		pool = helper.NewPool(o)
		return pool
	}})
	t.Cleanup(func() {
		pool.Kill()
		pool.Wait()
	})
	verdicts := make(chan bool, logins) // of those the helper was asked about: whether they are right
	refused := make(chan struct{}, logins)
	var wg sync.WaitGroup
	for i := range logins {
		wg.Go(func() {
			l, name := new(Login), fmt.Sprintf("u%d", i)
			a.Check(context.Background(), l, Request{Field: []byte(encoded(name + ":x")), Conn: new(Conn)})
			_, err := os.Stat(open)
			switch {
			case l.User != name:
				t.Errorf("%s became %q", name, l.User)
			case err != nil: // before the helper said anything
				if l.State != Refused {
					t.Errorf("%s: %d", name, l.State)
				}
				refused <- struct{}{}
			default:
				verdicts <- (l.State == Accepted) == (i%10 != 7)
			}
		})
	}
	const most = 1001 // one is asked, a thousand wait
	for range logins - most {
		<-refused
	}
	if n := pool.Waiting(); n > most {
		t.Errorf("%d questions wait, of %d that may", n, most)
	}
	os.WriteFile(open, nil, 0o600)
	wg.Wait()
	close(verdicts)
	n := 0
	for right := range verdicts {
		if n++; !right {
			t.Error("a verdict of somebody else")
		}
	}
	if n == 0 || n > most {
		t.Errorf("the helper was asked about %d", n)
	}
	if n := logs.FilterMessageSnippet("queued").Len(); n == 0 || n > 2 {
		t.Errorf("the log has %d lines about it", n)
	}
}
