package ident

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// Port is where ident servers listen (RFC 1413 section 2).
const Port = 113

// maxReply bounds the answer in bytes (RFC 1413 section 4: 1000 characters).
const maxReply = 1000

// maxUser bounds a user name; 2.6 keeps no more.
const maxUser = 63

// Conn is what a question takes of a connection.
type Conn interface {
	io.ReadWriter
	SetDeadline(time.Time) error
}

// Ask asks over conn, a connection to the client's ident server, who opened the
// connection from remote to local. "" means that the server does not say.
func Ask(ctx context.Context, conn Conn, local, remote netip.AddrPort) (user string, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := fmt.Fprintf(conn, "%d, %d\r\n", remote.Port(), local.Port()); err != nil {
		return "", err
	}
	line, err := bufio.NewReaderSize(io.LimitReader(conn, maxReply), maxReply).ReadSlice('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return ParseReply(line), nil
}

// ParseReply takes the user name out of a server's line: what stands behind the
// last colon of a USERID answer. Control characters end it.
func ParseReply(line []byte) (user string) {
	if !bytes.Contains(line, []byte("USERID")) {
		return ""
	}
	colon := bytes.LastIndexByte(line, ':')
	if colon < 0 {
		return ""
	}
	name := bytes.TrimLeft(line[colon+1:], " \t")
	for i, c := range name {
		if c < ' ' || c == 0x7f {
			name = name[:i]
			break
		}
	}
	return string(name[:min(len(name), maxUser)])
}
