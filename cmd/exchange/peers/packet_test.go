package peers

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// The packets of ICP and HTCP, and digests, read and written without the packages
// under test.

var icpOps = map[string]byte{"INVALID": 0, "QUERY": 1, "HIT": 2, "MISS": 3, "ERR": 4, "SECHO": 10, "DECHO": 11, "MISS_NOFETCH": 21, "DENIED": 22, "HIT_OBJ": 23}

func icpName(op byte) string {
	for name, n := range icpOps {
		if n == op {
			return name
		}
	}
	return strconv.Itoa(int(op))
}

func number(p *uint32, otherwise uint32) uint32 {
	if p == nil {
		return otherwise
	}
	return *p
}

func whole(p *int, otherwise int) int {
	if p == nil {
		return otherwise
	}
	return *p
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func icpPacket(op, url string, version int, number, flags, opt uint32, length *int) []byte {
	code, named := icpOps[op]
	if !named {
		n, _ := strconv.Atoi(op)
		code = byte(n)
	}
	b := []byte{code, byte(version), 0, 0}
	b = binary.BigEndian.AppendUint32(b, number)
	b = binary.BigEndian.AppendUint32(b, flags)
	b = binary.BigEndian.AppendUint32(b, opt)
	b = append(b, 0, 0, 0, 0)
	if op == "QUERY" {
		b = append(b, 0, 0, 0, 0)
	}
	for _, r := range url { // octets, in the recordings the runes of their numbers
		b = append(b, byte(r))
	}
	b = append(b, 0)
	binary.BigEndian.PutUint16(b[2:], uint16(whole(length, len(b))))
	return b
}

func flags(text string) uint32 {
	n, _ := strconv.ParseUint(text, 16, 32)
	return uint32(n)
}

func (p *packet) icp() []byte {
	if p.Hex != "" {
		return unhex(p.Hex)
	}
	op := string(p.Op)
	if op == "" {
		op = "QUERY"
	}
	return icpPacket(op, p.URL, whole(p.Version, 2), number(p.Reqnum, 4711), flags(p.Flags), number(p.Opt, 0), nil)
}

// icpURL is the URL of an ICP message.
func icpURL(b []byte) string {
	at := 20
	if len(b) > 0 && b[0] == 1 {
		at = 24
	}
	if len(b) < at {
		return ""
	}
	octets, _, _ := bytes.Cut(b[at:], []byte{0})
	url := make([]rune, len(octets))
	for i, octet := range octets {
		url[i] = rune(octet)
	}
	return string(url)
}

func icpText(b []byte) string {
	if len(b) < 20 {
		return "short"
	}
	return icpName(b[0]) + " " + icpURL(b)
}

var htcpOps = map[string]byte{"NOP": 0, "TST": 1, "MON": 2, "SET": 3, "CLR": 4}

func htcpPacket(op string, minor, major int, rr, f1, response byte, number uint32, opdata []byte, length *int) []byte {
	code, named := htcpOps[op]
	if !named {
		n, _ := strconv.Atoi(op)
		code = byte(n)
	}
	what, bits := code<<4|response&15, rr|f1<<1
	if minor == 0 {
		what, bits = response<<4|code, rr<<7|f1<<6
	}
	b := []byte{0, 0, byte(major), byte(minor)}
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(opdata)))
	b = append(b, what, bits)
	b = binary.BigEndian.AppendUint32(b, number)
	b = append(append(b, opdata...), 0, 2)
	binary.BigEndian.PutUint16(b, uint16(whole(length, len(b))))
	return b
}

func counted(texts ...string) (b []byte) {
	for _, s := range texts {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	return b
}

func (p *packet) htcp() []byte {
	if p.Hex != "" {
		return unhex(p.Hex)
	}
	opdata := append(unhex(p.Reason), counted(p.Spec...)...)
	return htcpPacket(string(p.Op), whole(p.Minor, 1), 0, byte(whole(p.RR, 0)), byte(whole(p.F1, 0)), 0, number(p.Msgid, 0), opdata, nil)
}

// htcpParts reads what is of use of an HTCP message.
func htcpParts(b []byte) (op string, answer bool, f1, response byte, number uint32, opdata []byte) {
	if len(b) < 12 {
		return "short", false, 0, 0, 0, nil
	}
	code, bits := b[6]>>4, b[7]
	response = b[6] & 15
	answer, f1 = bits&1 != 0, bits>>1&1
	if b[3] == 0 {
		code, response = b[6]&15, b[6]>>4
		answer, f1 = bits&0x80 != 0, bits>>6&1
	}
	for name, n := range htcpOps {
		if n == code {
			op = name
		}
	}
	return op, answer, f1, response, binary.BigEndian.Uint32(b[8:]), b[12:]
}

// htcpURI is the second text of a specifier.
func htcpURI(opdata []byte) string {
	for i := range 2 {
		if len(opdata) < 2 || len(opdata) < 2+int(binary.BigEndian.Uint16(opdata)) {
			return ""
		}
		text := opdata[2 : 2+binary.BigEndian.Uint16(opdata)]
		if i == 1 {
			return string(text)
		}
		opdata = opdata[2+len(text):]
	}
	return ""
}

func htcpText(b []byte) string {
	op, _, f1, response, _, _ := htcpParts(b)
	return fmt.Sprintf("%s %d %d", op, response, f1)
}

// digestBits are the bits of a GET for a URL.
func digestBits(url string, bits uint32) (list [4]uint32) {
	key := md5.Sum(append([]byte{1}, url...))
	for i := range list {
		list[i] = binary.BigEndian.Uint32(key[4*i:]) % bits
	}
	return list
}

func (d *digestSpec) bytes() []byte {
	capacity := whole(d.Capacity, max(1, len(d.Members)))
	mask := make([]byte, (capacity*5+7)/8)
	for _, url := range d.Members {
		for _, bit := range digestBits(url, uint32(len(mask))*8) {
			mask[bit/8] |= 1 << (bit % 8)
		}
	}
	if d.Fill != nil {
		mask = bytes.Repeat([]byte{byte(*d.Fill)}, len(mask))
	}
	f := map[string]uint32{"current": 5, "required": 3, "capacity": uint32(capacity), "count": uint32(len(d.Members)), "deleted": 0,
		"mask_size": uint32(len(mask)), "bpe": 5, "hashes": 4}
	for k, v := range d.Over {
		f[k] = v
	}
	b := binary.BigEndian.AppendUint16(nil, uint16(f["current"]))
	b = binary.BigEndian.AppendUint16(b, uint16(f["required"]))
	for _, k := range strings.Fields("capacity count deleted mask_size") {
		b = binary.BigEndian.AppendUint32(b, f[k])
	}
	b = append(append(b, byte(f["bpe"]), byte(f["hashes"])), make([]byte, 106)...)
	b = append(b, mask...)
	if d.Truncate != nil {
		b = b[:*d.Truncate]
	}
	return b
}
