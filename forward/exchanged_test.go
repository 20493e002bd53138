package forward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/judge"
)

// exchanged is all that went over the wires for one client connection.
type exchanged struct {
	text, got []byte           // what the client said and was told
	seen      []*judge.Request // what the origin was sent
	faults    []string
	logged    []string
}

// linesFrom gives the lines of access.log behind offset, and moves that on.
func (r *rig) linesFrom(offset *int64) []string {
	f, err := os.Open(r.cfg.AccessLogs[0].Path)
	if err != nil {
		return nil
	}
	defer f.Close()
	f.Seek(*offset, io.SeekStart)
	b, _ := io.ReadAll(f)
	*offset += int64(len(b))
	return strings.FieldsFunc(string(b), func(c rune) bool { return c == '\n' })
}

// mostTries is how often a request may be sent for one line of the log.
const mostTries = 10

// fault says what cannot be, "" when all is well.
func (e *exchanged) fault(origin string) string {
	direct := map[string]int{}
	for _, line := range e.logged {
		f := strings.Fields(line)
		if len(f) < 7 || f[5] == "CONNECT" {
			return "" // from there on it is nobody's to read
		}
		if strings.Contains(line, " DIRECT/") {
			direct[f[5]] += mostTries
		}
	}
	if len(e.faults) > 0 {
		return "the origin was sent what is against the letter: " + e.faults[0]
	}
	for _, q := range e.seen {
		if direct[q.Method]--; direct[q.Method] < 0 {
			return "the origin was sent what the log has not: " + q.Method + " " + q.Target
		}
	}
	asked, whole := byTheLetter(e.text)
	if fault := e.comesFrom(asked, whole, origin); fault != "" || !whole {
		return fault
	}
	return e.answers(asked)
}

// byTheLetter reads what a client said; whole tells that all of it is requests
// by the letter.
func byTheLetter(text []byte) (asked []*judge.Request, whole bool) {
	r := bufio.NewReader(bytes.NewReader(text))
	for {
		q, err := judge.ReadRequest(r)
		if err != nil {
			return asked, err == io.EOF
		}
		asked = append(asked, q)
	}
}

// comesFrom reports whether what the origin saw are the client's requests, in
// their order, some perhaps refused and some tried again.
func (e *exchanged) comesFrom(asked []*judge.Request, whole bool, origin string) string {
	next := 0
	for _, s := range e.seen {
		if next > 0 && isSame(asked[next-1], s, origin) {
			continue // once more
		}
		for next < len(asked) && !isSame(asked[next], s, origin) {
			next++
		}
		if next == len(asked) {
			if whole {
				return fmt.Sprintf("the client never sent %s %s with %q", s.Method, s.Target, s.Body)
			}
			return ""
		}
		next++
	}
	return ""
}

// isSame reports whether the origin's request is the client's.
func isSame(asked, seen *judge.Request, origin string) bool {
	path, ours := strings.CutPrefix(asked.Target, "http://"+origin)
	if path == "" {
		path = "/"
	}
	path = strings.NewReplacer("\t", "", "\v", "", "\f", "").Replace(path) // uri_whitespace strip
	return strings.EqualFold(asked.Method, seen.Method) && bytes.Equal(asked.Body, seen.Body) &&
		(!ours || path[0] != '/' || path == seen.Target)
}

// answers reports whether what the client was told are answers by the letter, at
// most one to each of its requests.
func (e *exchanged) answers(asked []*judge.Request) string {
	var methods []string
	for _, q := range asked {
		if len(q.Values("Upgrade")) > 0 {
			return ""
		}
		methods = append(methods, strings.ToUpper(q.Method))
	}
	answers, err := replies(bytes.NewReader(e.got), methods...)
	switch {
	case err != nil && err != judge.ErrPartial && !strings.HasPrefix(err.Error(), "no status line"):
		return "the client was told what is against the letter: " + err.Error()
	case len(answers) > len(asked):
		return fmt.Sprintf("%d answers to %d requests", len(answers), len(asked))
	}
	return ""
}
