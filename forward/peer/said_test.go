package peer

import (
	"fmt"
	"regexp"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// The lines of the start are 2.6's, with the number of the descriptor.
func TestSocketsAreSaid(t *testing.T) {
	in, out := anAddress(), anAddress()
	for _, c := range []struct {
		lines string
		want  []string
	}{
		{fmt.Sprintf("udp_incoming_address %s\nicp_port 23130\nhtcp_port 24827\n", in),
			[]string{fmt.Sprintf("Accepting ICP messages at %s, port 23130, FD [0-9]+\\.", in), "Accepting HTCP messages on port 24827, FD [0-9]+\\."}},
		{fmt.Sprintf("udp_incoming_address %s\nudp_outgoing_address %s\nicp_port 23130\nhtcp_port 0\n", in, out),
			[]string{fmt.Sprintf("Accepting ICP messages at %s, port 23130, FD [0-9]+\\.", in), "Outgoing ICP messages on port 23130, FD [0-9]+\\."}},
	} {
		core, said := observer.New(zap.InfoLevel)
		n := NewNeighbours(zap.New(core))
		if err := n.Listen(t.Context(), load(t, c.lines).cfg); err != nil {
			t.Fatal(err)
		}
		n.Close()
		if said.Len() != len(c.want) {
			t.Fatalf("%v", said.All())
		}
		for i, e := range said.All() {
			if !regexp.MustCompile("^" + c.want[i] + "$").MatchString(e.Message) {
				t.Errorf("%q, want %q", e.Message, c.want[i])
			}
		}
	}
}
