package forward

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// ntlmHelper answers a handshake of two steps: T1 gets a challenge, T3-NAME is NAME.
const ntlmHelper = `case "$l" in "YR T1"*) echo TT CHAL;; "KK T3-"*) echo "AF ${l#KK T3-}";; *) echo NA no;; esac`

// shake sends requests on one connection, all at once when together, and gives their
// statuses; "-" is for a connection that has ended.
func shake(t *testing.T, r *rig, together bool, requests ...string) string {
	t.Helper()
	c := r.dial()
	defer c.Close()
	in := bufio.NewReader(c)
	var got []string
	read := func() {
		reply, err := http.ReadResponse(in, nil)
		if err != nil {
			got = append(got, "-")
			return
		}
		defer reply.Body.Close()
		bufio.NewReader(reply.Body).WriteTo(discard{})
		got = append(got, fmt.Sprint(reply.StatusCode))
	}
	if together {
		fmt.Fprint(c, strings.Join(requests, ""))
	}
	for _, q := range requests {
		if !together {
			fmt.Fprint(c, q)
		}
		read()
	}
	return strings.Join(got, " ")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// kept is users with connections that outlive errors.
func kept(t *testing.T, text string) func(*conf.Config) {
	return func(c *conf.Config) {
		users(t, text)(c)
		c.PersistentConnectionAfterError = true
	}
}

func asking(origin, path, token string) string {
	field := ""
	if token != "" {
		field = "Proxy-Authorization: " + token + "\r\n"
	}
	return "GET http://" + origin + path + " HTTP/1.0\r\nProxy-Connection: keep-alive\r\n" + field + "\r\n"
}

// keep_alive off ends the connection with the first 407, and never one on which a
// handshake goes on.
func TestAuthKeepAlive(t *testing.T) {
	origin := telling(t)
	for switched, want := range map[string]string{"on": "407 407 200 200", "off": "407 - - -"} {
		r := start(t, nil, kept(t, "auth_param ntlm program "+helperScript(t, ntlmHelper)+"\nauth_param ntlm keep_alive "+switched+"\n"+authOnly))
		if got := shake(t, r, false, asking(origin, "/", ""), asking(origin, "/", "NTLM T1"), asking(origin, "/", "NTLM T3-bob"), asking(origin, "/", "")); got != want {
			t.Errorf("keep_alive %s: %s, want %s", switched, got, want)
		}
		if got := shake(t, r, false, asking(origin, "/", "NTLM T1"), asking(origin, "/", "NTLM T3-bob"), asking(origin, "/", "")); got != "407 200 200" {
			t.Errorf("keep_alive %s, begun at once: %s", switched, got)
		}
	}
}

// Requests behind an unfinished handshake are nobody's, however early they are sent: none
// is let in by what the handshake proves later, nor does the log say so.
func TestPipelineBehindHandshake(t *testing.T) {
	origin := telling(t)
	r := start(t, nil, kept(t, "auth_param ntlm program "+helperScript(t, ntlmHelper)+"\n"+authOnly))
	for _, c := range []struct {
		requests []string
		want     string
	}{
		{[]string{asking(origin, "/early", "NTLM T1"), asking(origin, "/between", ""), asking(origin, "/late", "NTLM T3-bob")}, "407 407 407"},
		{[]string{asking(origin, "/early", "NTLM T1"), asking(origin, "/bob", "NTLM T3-bob"), asking(origin, "/bob", "")}, "407 200 200"},
		{[]string{asking(origin, "/early", "NTLM T1"), asking(origin, "/other", "Basic !"), asking(origin, "/late", "NTLM T3-bob")}, "407 407 407"},
		{[]string{asking(origin, "/between", ""), asking(origin, "/late", "NTLM T3-bob"), asking(origin, "/between", "")}, "407 407 407"},
	} {
		if got := shake(t, r, true, c.requests...); got != c.want {
			t.Errorf("%q: %s, want %s", c.requests, got, c.want)
		}
	}
	for _, line := range r.log(12) {
		f := strings.Fields(line)
		if bob := strings.HasSuffix(f[6], "/bob"); (f[7] == "bob") != bob {
			t.Errorf("logged %q", line)
		}
	}
}

// Handshakes on many connections at once, over one helper that answers late: everybody
// is who his own connection proved.
func TestHandshakesCross(t *testing.T) {
	origin := telling(t)
	r := start(t, nil, kept(t, "auth_param ntlm program "+helperScript(t, ntlmHelper)+"\nauth_param ntlm children 2\n"+authOnly))
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			me := fmt.Sprintf("u%d", i)
			if got := shake(t, r, false, asking(origin, "/"+me, "NTLM T1"), asking(origin, "/"+me, "NTLM T3-"+me), asking(origin, "/"+me, "")); got != "407 200 200" {
				t.Errorf("%s: %s", me, got)
			}
		})
	}
	wg.Wait()
	for _, line := range r.log(36) {
		f := strings.Fields(line)
		if strings.HasSuffix(f[3], "/200") && !strings.HasSuffix(f[6], "/"+f[7]) {
			t.Errorf("logged %q", line)
		}
	}
}

// A helper that answers its channels in the opposite order: nobody gets another's verdict.
func TestAnswersCross(t *testing.T) {
	origin := telling(t)
	// Four questions, then their answers from behind.
	script := helperScript(t, `q="$l
$q"; n=$((n+1)); if [ $n = 4 ]; then printf '%s' "$q" | while read -r c user rest; do case "$user" in good*) echo "$c OK";; *) echo "$c ERR";; esac; done; n=0; q=; fi`)
	r := start(t, nil, users(t, "auth_param basic program "+script+"\nauth_param basic children 1\nauth_param basic concurrency 4\n"+authOnly))
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			name, want := fmt.Sprintf("good%d", i), " 200 "
			if i%2 == 1 {
				name, want = fmt.Sprintf("bad%d", i), " 407 "
			}
			if got := r.exchange("GET http://" + origin + "/ HTTP/1.0\r\n" + basicField(name+":x") + "\r\n"); !strings.Contains(got, want) {
				t.Errorf("%s: %.60q", name, got)
			}
		})
	}
	wg.Wait()
}
