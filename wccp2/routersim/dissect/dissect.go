// Package dissect asks Wireshark's dissector what it thinks of WCCP datagrams. It
// is a second opinion for tests, from people who know neither side's code.
package dissect

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Datagram is one UDP payload on its way.
type Datagram struct {
	From, To netip.Addr
	Payload  []byte
}

// Opinion is what the dissector says.
type Opinion struct {
	// WCCP is how many datagrams it took for WCCP at all.
	WCCP int
	// Complaints lists the datagrams it calls malformed, and what it makes of them.
	Complaints []string
}

// Ask has tshark dissect the datagrams. It is an error when there is no tshark.
func Ask(datagrams []Datagram) (o Opinion, err error) {
	err = captured(datagrams, func(path string) error {
		o, err = tshark(path)
		return err
	})
	return o, err
}

// Explain is all that tshark has to say of the datagrams, field by field.
func Explain(datagrams []Datagram) (text string, err error) {
	err = captured(datagrams, func(path string) error {
		out, err := exec.Command("tshark", "-n", "-r", path, "-V", "-O", "wccp").Output()
		text = string(out)
		return err
	})
	return text, err
}

// captured calls f with a file of the datagrams.
func captured(datagrams []Datagram, f func(path string) error) error {
	directory, err := os.MkdirTemp("", "dissect-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	path := filepath.Join(directory, "wccp.pcap")
	if err := os.WriteFile(path, capture(datagrams), 0o644); err != nil {
		return err
	}
	return f(path)
}

// malformedGroup is the dissector's number for the group of its remarks that call a
// packet malformed.
const malformedGroup = "117440512"

// tshark dissects all frames of a capture.
func tshark(path string) (Opinion, error) {
	cmd := exec.Command("tshark", "-n", "-r", path, "-T", "fields",
		"-e", "frame.protocols", "-e", "_ws.malformed", "-e", "_ws.expert.group", "-e", "frame.number", "-e", "_ws.expert.message")
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return Opinion{}, fmt.Errorf("tshark: %w: %s", err, complaints.String())
	}
	var o Opinion
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(fields) < 3 {
			return o, fmt.Errorf("tshark wrote %q", line)
		}
		if strings.Contains(fields[0], "wccp") {
			o.WCCP++
		}
		if fields[1] != "" || strings.Contains(fields[2], malformedGroup) || strings.Contains(fields[0], "_ws.malformed") {
			o.Complaints = append(o.Complaints, strings.TrimSpace(line))
		}
	}
	return o, nil
}

// capture is a pcap file of bare IPv4 packets.
func capture(datagrams []Datagram) []byte {
	const magic, linkTypeRawIPv4 = 0xA1B2C3D4, 228
	file := binary.LittleEndian.AppendUint32(nil, magic)
	file = binary.LittleEndian.AppendUint16(file, 2)
	file = binary.LittleEndian.AppendUint16(file, 4)
	file = append(file, make([]byte, 8)...)
	file = binary.LittleEndian.AppendUint32(file, 65535)
	file = binary.LittleEndian.AppendUint32(file, linkTypeRawIPv4)
	for i, d := range datagrams {
		packet := d.packet()
		file = binary.LittleEndian.AppendUint32(file, uint32(i))
		file = binary.LittleEndian.AppendUint32(file, 0)
		file = binary.LittleEndian.AppendUint32(file, uint32(len(packet)))
		file = binary.LittleEndian.AppendUint32(file, uint32(len(packet)))
		file = append(file, packet...)
	}
	return file
}

// packet puts IPv4 and UDP headers before the payload; checksums are left out, which
// UDP allows and dissectors do not check by default.
func (d Datagram) packet() []byte {
	const ipHeader, udpHeader, udp = 20, 8, 17
	length := uint16(ipHeader + udpHeader + len(d.Payload))
	p := []byte{0x45, 0}
	p = binary.BigEndian.AppendUint16(p, length)
	p = append(p, 0, 0, 0, 0, 64, udp, 0, 0)
	p = append(p, d.From.AsSlice()...)
	p = append(p, d.To.AsSlice()...)
	p = binary.BigEndian.AppendUint16(p, wire.Port)
	p = binary.BigEndian.AppendUint16(p, wire.Port)
	p = binary.BigEndian.AppendUint16(p, length-ipHeader)
	p = append(p, 0, 0)
	return append(p, d.Payload...)
}
