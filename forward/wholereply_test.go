package forward

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// A reply that comes whole with its head is stored at once, one that comes in pieces while
// it passes. Neither its client nor the next one can tell.
func TestWholeRepliesAreStoredAsOthers(t *testing.T) {
	dated := regexp.MustCompile(`\r\n(Date|Age|Expires): [^\r]*|proxy.test, .* GMT|ttl=\d+`)
	ok := func(fields string) string {
		return strings.Replace(sized(2), "\r\n\r\n", "\r\n"+fields+"\r\n", 1)
	}
	for name, c := range map[string]struct{ lines, method, fields, next, head, body string }{
		"plain":        {head: sized(2), body: "ok"},
		"part next":    {next: "Range: bytes=1-1\r\n", head: sized(2), body: "ok"},
		"large":        {head: sized(9000), body: text(9000)},
		"empty":        {head: sized(0)},
		"varying":      {fields: "X-A: 1\r\n", next: "X-A: 1\r\n", head: ok("Vary: X-A\r\n"), body: "ok"},
		"other":        {fields: "X-A: 1\r\n", next: "X-A: 2\r\n", head: ok("Vary: X-A\r\n"), body: "ok"},
		"all vary":     {head: ok("Vary: *\r\n"), body: "ok"},
		"for one":      {head: ok("Set-Cookie: a=b\r\n"), body: "ok"},
		"challenge":    {head: ok("WWW-Authenticate: NTLM\r\n"), body: "ok"},
		"negative":     {lines: "negative_ttl 5 minutes\n", head: strings.Replace(sized(2), "200 OK", "404 No", 1), body: "no"},
		"HEAD":         {method: "HEAD", head: sized(5)},
		"part":         {fields: "Range: bytes=0-0\r\n", head: sized(2), body: "ok"},
		"whole part":   {fields: "Range: bytes=0-1\r\n", head: strings.Replace(ok("Content-Range: bytes 0-1/2\r\n"), "200 OK", "206 P", 1), body: "ok"},
		"denied":       {lines: "acl text rep_mime_type text/plain\nhttp_reply_access deny text\n", head: ok("Content-Type: text/plain\r\n"), body: "ok"},
		"too large":    {lines: "maximum_object_size 1 KB\n", head: sized(3000), body: text(3000)},
		"too long":     {lines: "reply_body_max_size 1 allow all\n", head: sized(2), body: "ok"},
		"not stored":   {head: strings.Replace(sized(2), "max-age=1000", "no-store", 1), body: "ok"},
		"HTTP/1.0":     {head: strings.Replace(sized(2), "1.1", "1.0", 1), body: "ok"},
		"cache status": {lines: "cache_status_header on\n", head: sized(2), body: "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.method == "" {
				c.method = "GET"
			}
			var told [2]string
			for i := range told {
				s := newStoring(t, c.lines)
				v := s.visitBy(c.method, "/", c.fields)
				a := s.next()
				var head string
				if inPieces := i == 1; inPieces && c.body != "" {
					a.say(c.head)
					head = v.head()
					a.say(c.body)
				} else {
					a.say(c.head + c.body)
					head = v.head()
				}
				a.end()
				told[i] = head + v.rest()
				s.settled(func() bool { st := s.srv.StoreStats(); return st.Begun == st.Stored+st.Aborted })
				told[i] += fmt.Sprintf("\n%d stored\n", s.srv.StoreStats().Objects)
				v = s.visitBy(c.method, "/", c.next)
				answer := v.answer()
				select {
				case a := <-s.asked:
					told[i] += "asked again\n"
					a.say(c.head + c.body)
					a.end()
					told[i] += <-answer
				case all := <-answer:
					told[i] += all
				}
				for _, line := range s.log(2) {
					f := strings.Fields(line)
					told[i] += "\n" + f[3] + " " + f[5] // without the size: an Age may be in it or not
				}
				told[i] = dated.ReplaceAllString(strings.ReplaceAll(told[i], s.origin, "ORIGIN"), "")
			}
			if told[0] != told[1] {
				t.Errorf("%s\nwas told of what came in pieces, of the whole:\n%s", told[1], told[0])
			}
		})
	}
}

// answer is where the whole reply comes when it is there.
func (v *visitor) answer() <-chan string {
	all := make(chan string, 1)
	go func() { all <- v.rest() }()
	return all
}
