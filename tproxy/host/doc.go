// Package host checks, sets up and clears up what interception needs of a Linux
// host: rules, policy routing, kernel variables.
//
// A Want says what the proxy needs, and comes from its configuration. Every need
// is written down once, and used three ways:
//
//	Preflight   measures and explains what is missing          (squid -k preflight)
//	Setup       does it, and remembers what was before         (squid -k setup)
//	Teardown    undoes exactly what Setup did                  (squid -k teardown)
//
// The rules live in an nftables table of our own (TableName) that is put in place
// in one transaction, the marked packets' way in routing table tproxy.DivertTable,
// and the old values of kernel variables in a state file. That file is written
// before anything is touched: a crash in between leaves a state Teardown can
// clear, or another Setup complete. Setup may run any number of times. What
// it did not make it neither changes nor removes, but refuses and says so.
//
// What the rules take is a connection's first packet, and whatever has a socket
// here. Packets from the middle of others' connections, which a router sends when
// it gives buckets to a cache, go on instead of being reset: the file unknown.go
// has the reasons.
//
// Script prints the same as commands, for operators who would rather read, or
// paste, or translate them: nft, ip and sysctl, and the rules for iptables.
//
// Nothing here starts other programs, except for iptables-save where it is
// installed: rules of the legacy tables are visible to nothing else.
//
// All functions act on the network namespace of the calling thread.
package host
