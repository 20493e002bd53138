package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// testimony is what an origin says about a request: who asked, and at which of its
// addresses. It is the first line of every page.
type testimony struct {
	Saw netip.AddrPort `json:"saw"` // the address the request came from
	At  netip.AddrPort `json:"at"`  // the address it came to
}

// serveOrigin answers every request with its testimony and as many octets more as
// the last part of the path says, if that is a number. (A query would not show in
// access.log.)
func serveOrigin(listener net.Listener) {
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		line, err := json.Marshal(testimony{parseAddrPort(r.RemoteAddr), parseAddrPort(at.String())})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		more, _ := strconv.Atoi(path.Base(r.URL.Path))
		more = max(0, min(more, 100<<20))
		w.Header().Set("Content-Type", "text/plain")
		if path.Base(r.URL.Path) == "shared" {
			w.Header().Set("Cache-Control", "max-age=3600")
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(line)+1+more))
		fmt.Fprintf(w, "%s\n", line)
		block := strings.Repeat("x", 32<<10)
		for more > 0 {
			n, err := w.Write([]byte(block[:min(more, len(block))]))
			if err != nil {
				return
			}
			more -= n
		}
	}))
}

func parseAddrPort(text string) netip.AddrPort {
	parsed, _ := netip.ParseAddrPort(text) // the zero value testifies to nothing, and fails
	return parsed
}

// read finds the testimony in a page.
func (t *testimony) read(page string) error {
	line, _, _ := strings.Cut(page, "\n")
	if err := json.Unmarshal([]byte(line), t); err != nil {
		return fmt.Errorf("the page is not an origin's: %.60q", line)
	}
	return nil
}
