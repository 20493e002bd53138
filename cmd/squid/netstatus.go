package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// writeNetwork answers -k network.
func (p *process) writeNetwork(w io.Writer) error { return p.counts().writeText(w) }

// writeNetworkJSON answers -k network --json.
func (p *process) writeNetworkJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(p.counts())
}

func (n networkCounts) writeText(w io.Writer) error {
	d := n.Dial
	_, err := fmt.Fprintf(w, "connections: %d asked for, %d tries with another port, %d address collisions, %d without a port, %d to ourselves refused\n",
		d.Dials, d.Retries, d.Collision, d.Exhausted, d.Refused)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "host names: %d intercepted requests checked, %d not verified\n", n.Checked, n.Unverified)
	fmt.Fprintf(w, "not HTTP: %d connections tunnelled\n", n.Tunnels)
	state := "no"
	if n.Overload.Now {
		state = "yes"
	}
	if g := n.GRE; g != nil {
		fmt.Fprintf(w, "GRE: %d received, %d delivered, %d given back, %d lost in the queue\n", g.Received, g.Delivered, g.Returned, g.Lost)
		fmt.Fprintf(w, "GRE dropped: %d of strangers, %d of ours, %d damaged, %d wrong checksum, %d other protocols, %d refused by the device, %d of no router, %d unsent\n",
			g.Stranger, g.Own, g.Malformed, g.Checksum, g.Foreign, g.Refused, g.Unknown, g.Unsent)
		if n.Stranger != "" {
			fmt.Fprintf(w, "GRE last stranger: %s\n", n.Stranger)
		}
	}
	_, err = fmt.Fprintf(w, "overload: %s, %d times, %d connections met it\n", state, n.Overload.Times, n.Overload.Shortages)
	return err
}
