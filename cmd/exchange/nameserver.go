package main

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers A questions from a table {name: addresses | "NXDOMAIN" |
// "SERVFAIL" | "REFUSED" | "DROP"}.
type nameServer struct {
	conn  net.PacketConn
	table map[string]string
}

func newNameServer(addr string, table map[string]string) (*nameServer, error) {
	conn, err := net.ListenPacket("udp4", net.JoinHostPort(addr, "53"))
	if err != nil {
		return nil, err
	}
	s := &nameServer{conn: conn, table: table}
	go s.loop()
	return s, nil
}

func (s *nameServer) close() { s.conn.Close() }

func (s *nameServer) loop() {
	packet := make([]byte, 2048)
	for {
		n, from, err := s.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if reply := s.answer(packet[:n]); reply != nil {
			s.conn.WriteTo(reply, from)
		}
	}
}

func (s *nameServer) answer(packet []byte) []byte {
	var query dnsmessage.Message
	if query.Unpack(packet) != nil || len(query.Questions) == 0 {
		return nil
	}
	q := query.Questions[0]
	entry, known := s.table[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))]
	if !known {
		entry = "NXDOMAIN"
	}
	if entry == "DROP" {
		return nil
	}
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, RecursionDesired: true, RecursionAvailable: true},
		Questions: query.Questions[:1],
	}
	code, failed := map[string]dnsmessage.RCode{"NXDOMAIN": dnsmessage.RCodeNameError,
		"SERVFAIL": dnsmessage.RCodeServerFailure, "REFUSED": dnsmessage.RCodeRefused}[entry]
	reply.RCode = code
	if !failed && q.Type == dnsmessage.TypeA {
		for _, word := range strings.Fields(entry) {
			addr, err := netip.ParseAddr(word)
			if err != nil {
				continue
			}
			reply.Answers = append(reply.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 300},
				Body:   &dnsmessage.AResource{A: addr.As4()},
			})
		}
	}
	out, err := reply.Pack()
	if err != nil {
		return nil
	}
	return out
}
