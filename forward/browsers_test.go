package forward

import (
	"bufio"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// browsed is an exchange of a browser with a proxy that asks who it is.
type browsed struct {
	About, Scheme string
	Steps         []struct {
		Conn           int
		Request, Reply []string // lines; of the reply the first and those that begin with Proxy-
	}
}

var (
	nonceIn    = regexp.MustCompile(`nonce="([^"]*)"`)
	responseIn = regexp.MustCompile(`response="([^"]*)"`)
	ntlmTwo    = regexp.MustCompile(`NTLM (TlRMTVNTUAAC[A-Za-z0-9+/=]*)`)
)

// Browsers' bytes, connection by connection, are answered as they were when they were
// recorded: status, challenge, and whether the connection stays. With Digest, the answer
// to the recorded nonce is what we would compute, and is computed for the nonce of today.
func TestBrowsersLogIn(t *testing.T) {
	files, _ := filepath.Glob("testdata/browsers/*.json")
	if len(files) < 5 {
		t.Fatal("no recordings")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			var b browsed
			if err == nil {
				err = json.Unmarshal(text, &b)
			}
			if err != nil {
				t.Fatal(err)
			}
			replay(t, &b, string(text))
		})
	}
}

func replay(t *testing.T, b *browsed, text string) {
	lines := map[string]string{
		"basic":  "auth_param basic program " + helperScript(t, `case "$l" in "ada swordfish") echo OK;; *) echo ERR;; esac`) + "\nauth_param basic realm Cuttle test\n",
		"digest": "auth_param digest program " + helperScript(t, `case "$l" in '"ada":"Cuttle test"') echo `+hash("ada:Cuttle test:swordfish")+`;; *) echo ERR;; esac`) + "\nauth_param digest realm Cuttle test\n",
	}[b.Scheme]
	if two := ntlmTwo.FindStringSubmatch(text); two != nil {
		lines = "auth_param ntlm program " + helperScript(t, `case "$l" in YR*) echo "TT `+two[1]+`";; KK*) echo "AF ada";; *) echo "BH";; esac`) + "\n"
	}
	r := start(t, nil, users(t, lines+authOnly))
	origin := telling(t)
	conns, nonces := map[int]net.Conn{}, map[string]string{}
	readers := map[int]*bufio.Reader{}
	for i, step := range b.Steps {
		if conns[step.Conn] == nil {
			c, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			conns[step.Conn], readers[step.Conn] = c, bufio.NewReader(c)
		}
		request := strings.ReplaceAll(strings.Join(step.Request, "\r\n")+"\r\n\r\n", "origin.test:8000", origin)
		if b.Scheme == "digest" {
			request = answered(t, request, nonces)
		}
		if _, err := io.WriteString(conns[step.Conn], request); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		reply, err := http.ReadResponse(readers[step.Conn], nil)
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		body, err := io.ReadAll(reply.Body)
		if err != nil || reply.StatusCode == 200 && (!strings.HasPrefix(string(body), "GET ") || strings.Contains(string(body), "Proxy-Authorization")) {
			t.Errorf("step %d: %q, %v", i, body, err)
		}
		got := []string{reply.Proto + " " + reply.Status}
		for _, name := range []string{"Proxy-Authenticate", "Proxy-Connection"} {
			for _, value := range reply.Header[name] {
				got = append(got, name+": "+value)
			}
		}
		want := strings.Join(step.Reply, "\n")
		if old := nonceIn.FindStringSubmatch(want); old != nil {
			if now := nonceIn.FindStringSubmatch(strings.Join(got, "\n")); now != nil {
				nonces[old[1]] = now[1]
				want = strings.ReplaceAll(want, old[1], now[1])
			}
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("step %d, %s: %q, recorded %q", i, step.Request[0], got, want)
		}
	}
	log := strings.Join(r.log(len(b.Steps)), "\n")
	if known := strings.Count(log, " ada "); known < 3 || strings.Contains(log, "swordfish") {
		t.Errorf("the log: %s", log)
	}
}

func hash(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

// answered puts the nonce of this run, and the answer to it, into a request.
func answered(t *testing.T, request string, nonces map[string]string) string {
	t.Helper()
	part := func(name string) string {
		m := regexp.MustCompile(`[ ,]` + name + `="?([^",\r]*)`).FindStringSubmatch(request)
		if m == nil {
			return ""
		}
		return m[1]
	}
	old := nonceIn.FindStringSubmatch(request)
	if old == nil {
		return request
	}
	response := func(nonce string) string {
		return hash(strings.Join([]string{hash("ada:Cuttle test:swordfish"), nonce, part("nc"), part("cnonce"), part("qop"), hash("GET:" + part("uri"))}, ":"))
	}
	if got, recorded := response(old[1]), responseIn.FindStringSubmatch(request)[1]; got != recorded {
		t.Errorf("the recorded answer is %s, computed %s", recorded, got)
	}
	if nonces[old[1]] == "" {
		t.Fatalf("nonce %s was not given out", old[1])
	}
	request = responseIn.ReplaceAllLiteralString(request, `response="`+response(nonces[old[1]])+`"`)
	return strings.ReplaceAll(request, old[1], nonces[old[1]])
}
