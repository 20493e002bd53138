package forward

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"testing"

	"golang.org/x/sys/unix"
)

// On a kept connection hits are marked and the answers between them are not (zph_mode);
// a configuration without marks takes the last one away.
func TestHitsAreMarked(t *testing.T) {
	s := newStoring(t, "zph_mode tos\nzph_local 0x30")
	c := s.dial()
	defer c.Close()
	r := bufio.NewReader(c)
	ask := func(path string, want int) {
		t.Helper()
		fmt.Fprintf(c, "GET http://%s%s HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", s.origin, path)
		if want == 0 && path != "/denied" {
			a := s.next()
			a.say(sized(2) + "ok")
			a.end()
		}
		reply, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, reply.Body)
		marks := map[int]int{}
		s.srv.clients.Each(func(cl *client) {
			cl.c.Control(func(fd uintptr) {
				tos, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS)
				if err != nil {
					t.Error(err)
				}
				marks[tos]++
			})
		})
		if len(marks) != 1 || marks[want] != 1 {
			t.Errorf("%s: %v, want a connection of %#x", path, marks, want)
		}
	}
	ask("/a", 0)
	ask("/a", 0x30)
	ask("/b", 0)
	ask("/a", 0x30)
	cfg := *s.cfg
	file(t, "cache_mem 80 MB\nmaximum_object_size_in_memory 40 MB\nmaximum_object_size 40 MB\nminimum_expiry_time 0 seconds\nserver_persistent_connections off\n")(&cfg)
	cfg.HTTPPorts = s.cfg.HTTPPorts
	if err := s.srv.Swap(t.Context(), &cfg); err != nil {
		t.Fatal(err)
	}
	ask("/c", 0)
}
