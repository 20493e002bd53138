package forward

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

// An accelerator that is a surrogate tells the origin so, keeps what Surrogate-Control
// says and hands that to other surrogates alone; a proxy for others does none of it.
func TestSurrogate(t *testing.T) {
	const said = "HTTP/1.1 200 OK\r\nDate: DATE\r\nCache-Control: no-store\r\nSurrogate-Control: max-age=600;edge1, content=\"ESI/1.0\"\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
	for name, c := range map[string]struct {
		port, lines, fields string
		capability          string // what the origin is told, "" for nothing
		kept, control       bool
	}{
		"surrogate":         {"accel vhost", "http_accel_surrogate_id edge1", "", `edge1="Surrogate/1.0"`, true, false},
		"behind another":    {"accel vhost", "http_accel_surrogate_id edge1", "Surrogate-Capability: a=\"Surrogate/1.0\"\r\n", `a="Surrogate/1.0", edge1="Surrogate/1.0"`, true, true},
		"of the host":       {"accel vhost", "http_accel_surrogate_remote on", "", `proxy.test="Surrogate/1.0"`, false, false},
		"none":              {"accel vhost", "", "", "", false, true},
		"none, behind one":  {"accel vhost", "", "surrogate-capability: a=\"Surrogate/1.0\"\r\n", `a="Surrogate/1.0"`, false, true},
		"no accelerator":    {"", "http_accel_surrogate_id edge1", "", "", false, true},
		"no accelerator, 2": {"", "http_accel_surrogate_id edge1", "Surrogate-Capability: a=\"Surrogate/1.0\"\r\n", `a="Surrogate/1.0"`, false, true},
	} {
		heads := make(chan string, 4)
		o := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
			head, err := readHead(r)
			if err != nil {
				return
			}
			heads <- head
			(&asked{TCPConn: c}).say(said)
		})
		r := start(t, nil, file(t, "http_port 3128 "+c.port+"\ncache_mem 8 MB\ncache_peer "+strings.Replace(o, ":", " parent ", 1)+" 0 no-query originserver default\n"+c.lines))
		target := "/"
		if c.port == "" {
			target = "http://" + o + "/"
		}
		for range 2 {
			client := r.dial()
			fmt.Fprintf(client, "GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n", target, o, c.fields)
			head, err := readHead(bufio.NewReader(client))
			client.Close()
			if control := strings.Contains(head, "Surrogate-Control:"); err != nil || control != c.control {
				t.Errorf("%s: %v, %q", name, err, head)
			}
		}
		if kept := len(heads) == 1; kept != c.kept {
			t.Errorf("%s: the origin was asked %d times", name, len(heads))
		}
		head := <-heads
		_, value, _ := strings.Cut(strings.ToLower(head), "surrogate-capability: ")
		if value, _, _ = strings.Cut(value, "\r\n"); value != strings.ToLower(c.capability) {
			t.Errorf("%s: the origin was asked %q", name, head)
		}
	}
}
