package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// lookupTime bounds each look-up made while a configuration is read.
const lookupTime = 15 * time.Second

// resolvingWorld is the machine with its name servers: conf itself opens no sockets.
type resolvingWorld struct{ conf.Offline }

// Addresses looks into the hosts file, then asks the name servers.
func (w resolvingWorld) Addresses(host string) []netip.Addr {
	if list := w.Offline.Addresses(host); list != nil {
		return list
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return nil
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found
}

// NameOf looks for the name of an address.
func (w resolvingWorld) NameOf(addr netip.Addr) string {
	if name := w.Offline.NameOf(addr); name != "" {
		return name
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	names, err := net.DefaultResolver.LookupAddr(ctx, addr.String())
	if err != nil || len(names) == 0 {
		return ""
	}
	return strings.TrimSuffix(names[0], ".")
}

// Hostname is the machine's name and what the resolver makes of it.
func (w resolvingWorld) Hostname() (name, canonical string) {
	if name, canonical = w.Offline.Hostname(); canonical != "" || name == "" {
		return name, canonical
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	full, err := net.DefaultResolver.LookupCNAME(ctx, name)
	if err != nil {
		return name, ""
	}
	return name, strings.TrimSuffix(full, ".")
}
