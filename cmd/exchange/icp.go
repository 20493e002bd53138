package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strconv"
	"time"
)

// icpWords are the opcodes of ICP that scripts and recordings name.
var icpWords = map[byte]string{0: "INVALID", 1: "QUERY", 2: "HIT", 3: "MISS", 4: "ERR", 10: "SECHO", 11: "DECHO",
	21: "MISS_NOFETCH", 22: "DENIED", 23: "HIT_OBJ"}

// icpPacket builds an ICP message: 20 octets of header, then the payload.
func icpPacket(op, version byte, number, options uint32, payload []byte) []byte {
	p := make([]byte, 20, 20+len(payload))
	p[0], p[1] = op, version
	binary.BigEndian.PutUint16(p[2:], uint16(20+len(payload)))
	binary.BigEndian.PutUint32(p[4:], number)
	binary.BigEndian.PutUint32(p[8:], options)
	return append(p, payload...)
}

// icpLoop answers queries as a peer does.
func (o *origin) icpLoop() {
	answers := map[string]byte{"HIT": 2, "MISS": 3, "DENIED": 22, "MISS_NOFETCH": 21, "ERR": 4}
	packet := make([]byte, 65536)
	for {
		n, from, err := o.udp.ReadFrom(packet)
		if err != nil {
			return
		}
		if n < 24 {
			continue
		}
		url, _, _ := bytes.Cut(packet[24:n], []byte{0})
		o.rec.note(record{"to": o.name, "icp": "op=" + strconv.Itoa(int(packet[0])), "url": string(url)})
		op, known := answers[o.spec.ICP]
		if !known {
			continue
		}
		time.Sleep(milliseconds(float64(o.spec.ICPDelay)))
		o.udp.WriteTo(icpPacket(op, 2, binary.BigEndian.Uint32(packet[4:]), 0, append(url, 0)), from)
	}
}

// icpStep asks the proxy by ICP.
func (p *player) icpStep(s *step) map[string]any {
	q := s.ICP
	number := orDefault(q.Reqnum, 77)
	payload := append(append(make([]byte, 4), p.vals.expand(q.URL)...), 0)
	packet := icpPacket(byte(orDefault(q.Op, 1)), byte(orDefault(q.Version, 2)), uint32(number), uint32(q.Options), payload)
	port := s.Port
	if port == "" {
		port = "PORT_UICP"
	}
	reply, _, err := p.datagram(packet, port, orMilliseconds(s.Timeout, 1200))
	if err != nil || len(reply) < 20 {
		return map[string]any{"icp": "no answer"}
	}
	p.sizes[len(reply)] = true
	word, known := icpWords[reply[0]]
	if !known {
		word = strconv.Itoa(int(reply[0]))
	}
	url, _, _ := bytes.Cut(reply[20:], []byte{0})
	return map[string]any{"icp": word, "version": float64(reply[1]),
		"reqnum_same": binary.BigEndian.Uint32(reply[4:]) == uint32(number), "url": p.vals.mask(string(url), nil)}
}

// udpStep sends raw octets to a UDP port of the proxy.
func (p *player) udpStep(s *step) map[string]any {
	packet, _ := hex.DecodeString(s.Hex)
	reply, local, err := p.datagram(packet, s.UDP, orMilliseconds(s.Timeout, 1500))
	p.clientPorts = append(p.clientPorts, local)
	if err != nil {
		return map[string]any{"reply": nil}
	}
	return map[string]any{"reply": hex.EncodeToString(reply)}
}

func (p *player) datagram(packet []byte, port string, limit time.Duration) (reply []byte, local int, err error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	local = c.LocalAddr().(*net.UDPAddr).Port
	c.SetReadDeadline(time.Now().Add(limit))
	if _, err := c.WriteToUDP(packet, &net.UDPAddr{IP: net.ParseIP(host), Port: p.vals.port(port)}); err != nil {
		return nil, local, err
	}
	reply = make([]byte, 65536)
	n, _, err := c.ReadFromUDP(reply)
	return reply[:n], local, err
}

func orDefault(v *int, otherwise int) int {
	if v != nil {
		return *v
	}
	return otherwise
}

func orMilliseconds(v *float64, otherwise float64) time.Duration {
	if v != nil {
		otherwise = *v
	}
	return milliseconds(otherwise)
}
