package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// The addresses of the lab.
var (
	adslAddress   = netip.MustParseAddr("10.100.0.10")
	dialupAddress = netip.MustParseAddr("10.101.0.10")
	routerAddress = netip.MustParseAddr("10.102.0.1")
	firstCache    = netip.MustParseAddr("10.102.0.2")

	// WCCP is spoken by IPv4; what this subscriber says to the web, and is answered, the
	// router sends to the first cache by policy routing.
	fibreAddress   = netip.MustParseAddr("2001:db8:100::10")
	routerAddress6 = netip.MustParseAddr("2001:db8:102::1")
	cacheAddress6  = netip.MustParseAddr("2001:db8:102::2")
)

// network is the machines and wires around one configuration. Nothing of ours runs
// on them yet but the internet.
type network struct {
	title     string
	directory string // for files of this network
	etc       string // holds the resolv.conf of its machines
	router    *netlab.Node
	internet  *netlab.Node
	adsl      subscriber
	dialup    subscriber
	fibre     subscriber // of IPv6
	caches    []*netlab.Node
	closers   []func() error
}

// subscriber is a customer's machine.
type subscriber struct {
	name    string
	address netip.Addr
	node    *netlab.Node
}

// buildNetwork makes the machines. title begins the names of the nodes, so that
// several networks fit one lab.
func buildNetwork(lab *netlab.Lab, title, directory string, caches int) (*network, error) {
	n := &network{title: title, directory: filepath.Join(directory, title)}
	if err := n.writeEtc(); err != nil {
		return nil, err
	}
	node := func(name string) *netlab.Node { return lab.Node(title + "-" + name) }
	n.router, n.internet = node("router"), node("internet")
	n.adsl = subscriber{"adsl", adslAddress, node("adsl")}
	n.dialup = subscriber{"dialup", dialupAddress, node("dialup")}
	n.fibre = subscriber{"fibre", fibreAddress, node("fibre")}

	end := func(node *netlab.Node, name string, addresses ...string) netlab.End {
		return netlab.End{Node: node, Name: name, Addrs: addresses}
	}
	lab.Link(end(n.adsl.node, "eth0", adslAddress.String()+"/24"), end(n.router, "adsl0", "10.100.0.1/24"))
	lab.Link(end(n.dialup.node, "eth0", dialupAddress.String()+"/24"), end(n.router, "dialup0", "10.101.0.1/24"))
	lab.Link(end(n.fibre.node, "eth0", fibreAddress.String()+"/64"), end(n.router, "fibre0", "2001:db8:100::1/64"))
	lab.Link(end(n.internet, "eth0", "192.0.2.1/24", "2001:db8:2::1/64"), end(n.router, "internet0", "192.0.2.254/24", "2001:db8:2::ff/64"))
	n.adsl.node.Route("default", "10.100.0.1")
	n.dialup.node.Route("default", "10.101.0.1")
	n.internet.Route("default", "192.0.2.254")
	n.fibre.node.Route("default", "2001:db8:100::1")
	n.internet.Route("default", "2001:db8:2::ff")

	// The caches share a network with the router, as proxy servers do.
	var ports []string
	address := firstCache
	for i := range caches {
		cache, port := node(fmt.Sprintf("cache%d", i+1)), fmt.Sprintf("port%d", i+1)
		lab.Link(end(cache, "eth0", address.String()+"/24"), end(n.router, port))
		ports = append(ports, port)
		n.caches = append(n.caches, cache)
		address = address.Next()
	}
	n.router.Bridge("proxy0", []string{routerAddress.String() + "/24", routerAddress6.String() + "/64"}, ports...)
	for _, cache := range n.caches {
		cache.Route("default", routerAddress.String())
	}
	n.routeIPv6()
	for _, addresses := range names {
		for _, address := range addresses {
			n.internet.Addr("eth0", prefixed(address))
		}
	}
	n.internet.Addr("eth0", nameServer.String()+"/24")
	if err := lab.Err(); err != nil {
		return nil, err
	}
	return n, n.populate()
}

// routeIPv6 has the router send the web of IPv6 to the first cache, both ways.
func (n *network) routeIPv6() {
	const table = "166"
	n.caches[0].Addr("eth0", cacheAddress6.String()+"/64")
	n.caches[0].Route("default", routerAddress6.String())
	n.router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	n.router.Must("ip", "-6", "route", "add", "default", "via", cacheAddress6.String(), "dev", "proxy0", "table", table)
	for _, port := range []string{"80", "443"} {
		n.router.Must("ip", "-6", "rule", "add", "iif", "fibre0", "ipproto", "tcp", "dport", port, "lookup", table)
		n.router.Must("ip", "-6", "rule", "add", "iif", "internet0", "ipproto", "tcp", "sport", port, "lookup", table)
	}
}

// prefixed is an address with the length of its network.
func prefixed(a netip.Addr) string {
	if a.Is6() {
		return a.String() + "/64"
	}
	return a.String() + "/24"
}

// writeEtc gives the machines their name server.
func (n *network) writeEtc() error {
	n.etc = filepath.Join(n.directory, "etc")
	if err := os.MkdirAll(n.etc, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(n.etc, "resolv.conf"), []byte(fmt.Sprintf("nameserver %s\n", nameServer)), 0o644)
}

// populate starts the internet: an origin at each address of each name, plain and
// in TLS, and the name server.
func (n *network) populate() error {
	config, err := selfSigned()
	if err != nil {
		return err
	}
	for _, addresses := range names {
		for _, address := range addresses {
			listener, err := n.internet.Listen(netip.AddrPortFrom(address, 80).String())
			if err != nil {
				return err
			}
			n.closers = append(n.closers, listener.Close)
			go serveOrigin(listener)
			if listener, err = n.internet.Listen(netip.AddrPortFrom(address, 443).String()); err != nil {
				return err
			}
			n.closers = append(n.closers, listener.Close)
			go serveOrigin(tls.NewListener(listener, config))
		}
	}
	return n.internet.Do(func() error {
		socket, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(nameServer, 53).String())
		if err != nil {
			return err
		}
		n.closers = append(n.closers, socket.Close)
		go serveNames(socket)
		return nil
	})
}

// close ends the internet; the machines go with the lab.
func (n *network) close() {
	for _, end := range n.closers {
		end()
	}
}
