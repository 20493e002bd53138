package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/cuttle-proxy/cuttle/wccp2"
)

// The real binary joins a router of each family, in messages of the version each needs,
// from one socket; `squid -k wccp` shows both.
func TestWCCPWithRoutersOfBothFamilies(t *testing.T) {
	t.Parallel() // most of it is waiting for the assignment
	s := newStreet(t)
	path, err := routersimBinary()
	if err != nil {
		t.Fatal(err)
	}
	router := exec.Command(path, "-router", streetOrigin4, "-router", streetOrigin6, "-events", os.DevNull, "-command", "ip wccp 80 password secret")
	router.Stderr = os.Stderr
	if _, err := s.origin.Start(router); err != nil {
		t.Fatal(err)
	}
	s.configure("http_port 3128\nwccp2_router " + streetOrigin4 + "\nwccp2_router " + streetOrigin6 + `
wccp2_service dynamic 80 password=secret
wccp2_service_info 80 protocol=tcp flags=src_ip_hash priority=240 ports=80,443
wccp2_shutdown_wait 1 second
`)
	s.launch()
	s.until("both routers give it buckets", func() bool {
		s.ended()
		var status wccp2.Status
		out, err := s.order("wccp", "--json")
		if err != nil || json.Unmarshal([]byte(out), &status) != nil {
			return false
		}
		serving := map[string]string{}
		for _, service := range status.Services {
			for _, r := range service.Routers {
				if r.State == wccp2.StateServing && r.Buckets == 256 {
					serving[r.Router.String()] = r.Local.String()
				}
			}
		}
		return serving[streetOrigin4] == streetOutside4 && serving[streetOrigin6] == streetOutside6
	})
}
