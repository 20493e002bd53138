package main

import (
	"net"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// names are the sites of the lab's internet; one of them has several addresses, one
// is reached by IPv6 too.
var names = map[string][]netip.Addr{
	"www.example.net.":    {netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("2001:db8:2::10")},
	"news.example.org.":   {netip.MustParseAddr("192.0.2.20")},
	"mirror.example.com.": {netip.MustParseAddr("192.0.2.31"), netip.MustParseAddr("192.0.2.32"), netip.MustParseAddr("192.0.2.33")},
}

// nameServer is where the lab's machines ask.
var nameServer = netip.MustParseAddr("192.0.2.53")

// serveNames answers questions until the socket is closed.
func serveNames(socket net.PacketConn) {
	buffer := make([]byte, 1500)
	for {
		n, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer, err := answerName(buffer[:n]); err == nil {
			socket.WriteTo(answer, from)
		}
	}
}

// answerName knows the addresses of names and nothing else.
func answerName(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative, m.RecursionAvailable = true, true, true
	m.Answers, m.Authorities, m.Additionals = nil, nil, nil
	m.RCode = dnsmessage.RCodeNameError
	for _, q := range m.Questions {
		addresses, known := names[q.Name.String()]
		if !known {
			continue
		}
		m.RCode = dnsmessage.RCodeSuccess
		for _, address := range addresses {
			if q.Type == dnsmessage.TypeA && address.Is4() {
				m.Answers = append(m.Answers, resource(q.Name, &dnsmessage.AResource{A: address.As4()}))
			}
			if q.Type == dnsmessage.TypeAAAA && address.Is6() {
				m.Answers = append(m.Answers, resource(q.Name, &dnsmessage.AAAAResource{AAAA: address.As16()}))
			}
		}
	}
	return m.Pack()
}

func resource(name dnsmessage.Name, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 60}, Body: body}
}
