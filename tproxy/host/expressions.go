package host

import (
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// The words of nft(8) as the kernel's expressions; each function is one of them.

func join(parts ...[]expr.Any) []expr.Any { return slices.Concat(parts...) }

const register = unix.NFT_REG_1

func equal(data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: data}
}

func meta(key expr.MetaKey) expr.Any { return &expr.Meta{Key: key, Register: register} }

func accept() []expr.Any { return []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}} }

func isTCP() []expr.Any {
	return []expr.Any{meta(expr.MetaKeyL4PROTO), equal([]byte{unix.IPPROTO_TCP})}
}

func isFamily(f family) []expr.Any {
	return []expr.Any{meta(expr.MetaKeyNFPROTO), equal([]byte{byte(f.number)})}
}

func inputIs(iface string) []expr.Any {
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, iface)
	return []expr.Any{meta(expr.MetaKeyIIFNAME), equal(name)}
}

func destinationPort() []expr.Any {
	return []expr.Any{&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}}
}

func toPort(port uint16) []expr.Any {
	return append(destinationPort(), equal(binaryutil.BigEndian.PutUint16(port)))
}

func toLocal() []expr.Any {
	return []expr.Any{
		&expr.Fib{Register: register, FlagDADDR: true, ResultADDRTYPE: true},
		equal(binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL)),
	}
}

func socketIs(key expr.SocketKey, value byte) []expr.Any {
	return []expr.Any{&expr.Socket{Key: key, Register: register}, equal([]byte{value})}
}

func mask(and, xor uint32) expr.Any {
	return &expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 4,
		Mask: binaryutil.NativeEndian.PutUint32(and), Xor: binaryutil.NativeEndian.PutUint32(xor)}
}

func hasMark(bit uint32) []expr.Any {
	return []expr.Any{meta(expr.MetaKeyMARK), mask(bit, 0), equal(binaryutil.NativeEndian.PutUint32(bit))}
}

func orMark(bit uint32) []expr.Any {
	return []expr.Any{meta(expr.MetaKeyMARK), mask(^bit, bit),
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: register}}
}

func portIn(port uint16) expr.Any {
	return &expr.Immediate{Register: register, Data: binaryutil.BigEndian.PutUint16(port)}
}

const secondRegister = unix.NFT_REG_2

// tproxyTo hands a connection to a listener; the address only where it has one.
func tproxyTo(f family, p Port) []expr.Any {
	to := &expr.TProxy{Family: byte(f.number), TableFamily: byte(nftables.TableFamilyINet), RegPort: register}
	if !p.Addr.IsValid() {
		return []expr.Any{portIn(p.To), to}
	}
	to.RegAddr, to.RegPort = register, secondRegister
	return append(placeIn(p), to)
}

// placeIn loads address and port of a listener into the two registers.
func placeIn(p Port) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: register, Data: p.Addr.AsSlice()},
		&expr.Immediate{Register: secondRegister, Data: binaryutil.BigEndian.PutUint16(p.To)},
	}
}

func translateTo(f family, p Port) []expr.Any {
	return append(placeIn(p), &expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(f.number),
		RegAddrMin: register, RegProtoMin: secondRegister})
}

func redirectTo(port uint16) []expr.Any {
	return []expr.Any{portIn(port), &expr.Redir{RegisterProtoMin: register}}
}

// Flags of TCP (RFC 9293 section 3.1).
const synFlag, rstFlag, ackFlag = 0x02, 0x04, 0x10

// isSYN is "tcp flags & (syn | ack) == syn": a packet that begins a connection.
func isSYN() []expr.Any { return flagged(synFlag|ackFlag, synFlag) }

// flagged is "tcp flags & of == value".
func flagged(of, value byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 13, Len: 1},
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{of}, Xor: []byte{0}},
		equal([]byte{value}),
	}
}

// clampTo lowers the maximum-segment-size option, never raises it.
func clampTo(mss uint16) []expr.Any {
	const kind, offset, length = 2, 2, 2 // RFC 9293 section 3.2
	size := binaryutil.BigEndian.PutUint16(mss)
	return []expr.Any{
		&expr.Exthdr{DestRegister: register, Type: kind, Offset: offset, Len: length, Op: expr.ExthdrOpTcpopt},
		&expr.Cmp{Op: expr.CmpOpGt, Register: register, Data: size},
		&expr.Immediate{Register: register, Data: size},
		&expr.Exthdr{SourceRegister: register, Type: kind, Offset: offset, Len: length, Op: expr.ExthdrOpTcpopt},
	}
}
