package intercept

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
)

// Counts are the counters -k network shows.
type Counts struct {
	Dial       tproxy.DialCounts `json:"connections"`
	GRE        *gre.Counts       `json:"gre,omitempty"`
	Routers    []netip.Addr      `json:"gre_routers,omitempty"`
	Stranger   string            `json:"gre_last_stranger,omitempty"`
	Checked    uint64            `json:"host_checked"`
	Unverified uint64            `json:"host_unverified"`
	Denied     uint64            `json:"host_denied"`
	Tunnels    uint64            `json:"blind_tunnels"`
	Passed     uint64            `json:"tls_passed"`
	Overload   overload.Counts   `json:"overload"`
}

// counts reads all of them.
func (h *Host) counts() Counts {
	n := Counts{Dial: h.Network.dialCounts(), Tunnels: h.server.BlindTunnels(), Passed: h.server.PassedTLS(), Overload: h.server.Overload()}
	n.Checked, n.Unverified, n.Denied = h.server.Verification()
	if r := h.gre.Load(); r != nil {
		c := r.Counts()
		n.GRE = &c
		if who := r.Stranger(); who.IsValid() {
			n.Stranger = who.String()
		}
	}
	return n
}

// WriteNetwork answers -k network.
func (h *Host) WriteNetwork(w io.Writer) error { return h.counts().writeText(w) }

// WriteNetworkJSON answers -k network --json.
func (h *Host) WriteNetworkJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(h.counts())
}

func (n Counts) writeText(w io.Writer) error {
	d := n.Dial
	_, err := fmt.Fprintf(w, "connections: %d asked for, %d tries with another port, %d address collisions, %d without a port, %d to ourselves refused\n",
		d.Dials, d.Retries, d.Collision, d.Exhausted, d.Refused)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "host names: %d intercepted requests checked, %d not verified, %d of a name that is not known denied\n", n.Checked, n.Unverified, n.Denied)
	fmt.Fprintf(w, "not HTTP: %d connections tunnelled\n", n.Tunnels)
	fmt.Fprintf(w, "TLS: %d connections passed on by name\n", n.Passed)
	state := "no"
	if n.Overload.Now {
		state = "yes"
	}
	if g := n.GRE; g != nil {
		fmt.Fprintf(w, "GRE: %d received, %d delivered, %d given back, %d lost in the queue\n", g.Received, g.Delivered, g.Returned, g.Lost)
		fmt.Fprintf(w, "GRE dropped: %d of strangers, %d of ours, %d damaged, %d wrong checksum, %d other protocols, %d refused by the device, %d for this host, %d of no service, %d of no router, %d unsent\n",
			g.Stranger, g.Own, g.Malformed, g.Checksum, g.Foreign, g.Refused, g.Here, g.Other, g.Unknown, g.Unsent)
		if n.Stranger != "" {
			fmt.Fprintf(w, "GRE last stranger: %s\n", n.Stranger)
		}
	}
	_, err = fmt.Fprintf(w, "overload: %s, %d times, %d connections met it\n", state, n.Overload.Times, n.Overload.Shortages)
	return err
}

// trouble words what has gone wrong since another reading.
func (n Counts) trouble(since Counts) (lines []string) {
	more := func(count, before uint64, format string, args ...any) {
		if count > before {
			lines = append(lines, fmt.Sprintf(format, append([]any{count - before}, args...)...))
		}
	}
	more(n.Dial.Exhausted, since.Dial.Exhausted,
		"%d connections could not be made for want of a local port; widen net.ipv4.ip_local_port_range")
	more(n.Dial.Refused, since.Dial.Refused, "%d connections would have come back to the proxy itself")
	if n.GRE == nil {
		return lines
	}
	before := gre.Counts{}
	if since.GRE != nil && since.GRE.Received <= n.GRE.Received { // the same receiver still
		before = *since.GRE
	}
	more(n.GRE.Stranger, before.Stranger, "%d GRE packets dropped, the last from %s, which is no router of ours; if it is one, name it in wccp2_router", cmp.Or(n.Stranger, "an address the packet filter does not tell"))
	more(n.GRE.Lost, before.Lost, "%d GRE packets lost because they came faster than they could be taken")
	more(n.GRE.Malformed+n.GRE.Checksum, before.Malformed+before.Checksum, "%d damaged GRE packets dropped")
	more(n.GRE.Own, before.Own, "%d GRE packets dropped that would have gone round in a loop")
	more(n.GRE.Here, before.Here, "%d GRE packets dropped that held packets for this host itself")
	more(n.GRE.Other, before.Other, "%d GRE packets dropped that held packets of no announced service")
	more(n.GRE.Unsent, before.Unsent, "%d packets could not be given back to a router")
	return lines
}
