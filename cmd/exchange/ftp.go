package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"path"
	"strings"
	"time"
)

// ftpSession is one control connection of the scripted FTP server.
type ftpSession struct {
	o        *origin
	w        *wire
	commands []string
	rec      record
	cwd      string
	data     net.Listener
}

func (o *origin) serveFTP(w *wire, n int) {
	s := &ftpSession{o: o, w: w, cwd: "/", rec: record{"to": o.name, "conn": n, "ftp": []string{}}}
	o.rec.note(s.rec)
	welcome := "220 scripted ftp"
	if text, ok := o.spec.FTP.Replies["WELCOME"]; ok {
		welcome = text
	}
	s.say(welcome)
	for w.until(hasLine, time.Now().Add(10*time.Second)) == "" {
		line := strings.TrimRight(w.take(bytes.IndexByte(w.buf, '\n')+1), "\r\n")
		s.noteLine(line)
		if !s.command(line) {
			return
		}
	}
}

func (s *ftpSession) noteLine(line string) {
	s.commands = append(s.commands, line)
	s.o.rec.set(s.rec, "ftp", append([]string(nil), s.commands...))
}

func (s *ftpSession) say(line string) { s.w.send(toBytes(line)+"\r\n", 10*time.Second) }

// command answers one command; false ends the connection.
func (s *ftpSession) command(line string) bool {
	spec := s.o.spec.FTP
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	forced, isForced := spec.Replies[line]
	if !isForced {
		forced, isForced = spec.Replies[verb]
	}
	if isForced {
		s.say(forced)
		return true
	}
	switch verb {
	case "PASV", "EPSV":
		s.passive(verb)
	case "USER":
		s.say("331 password please")
	case "PASS":
		s.say("230 logged in")
	case "TYPE":
		s.say("200 type ok")
	case "SYST":
		s.say("215 UNIX Type: L8")
	case "CWD":
		if path.IsAbs(arg) {
			s.cwd = arg
		} else {
			s.cwd = strings.TrimSuffix(s.cwd, "/") + "/" + arg
		}
		s.say("250 ok")
	case "PWD":
		s.say(fmt.Sprintf("257 %q", s.cwd))
	case "CDUP":
		s.say("250 ok")
	case "SIZE":
		if f, ok := spec.Files[arg]; ok {
			s.say(fmt.Sprintf("213 %d", len(s.o.vals.expand(f))))
		} else {
			s.say("550 no such file")
		}
	case "MDTM":
		if _, ok := spec.Files[arg]; ok {
			s.say("213 20200102030405")
		} else {
			s.say("550 no such file")
		}
	case "RETR", "LIST", "NLST":
		body, ok := spec.Files[arg]
		if verb != "RETR" {
			body, ok = spec.Lists[verb], true
		}
		s.transfer(ok, "150 here it comes", "226 done", func(c net.Conn) {
			io.WriteString(c, s.o.vals.expand(body))
		})
	case "STOR":
		s.transfer(true, "150 go", "226 stored", func(c net.Conn) {
			got, _ := io.ReadAll(c)
			s.noteLine("DATA " + string(got))
		})
	case "QUIT":
		s.say("221 bye")
		return false
	case "REST":
		s.say("350 ok")
	default:
		s.say("502 not here")
	}
	return true
}

func (s *ftpSession) passive(verb string) {
	l, err := net.Listen("tcp4", host+":0")
	if err != nil {
		s.say("425 no data connection")
		return
	}
	s.data = l
	port := l.Addr().(*net.TCPAddr).Port
	if verb == "PASV" {
		s.say(fmt.Sprintf("227 Entering Passive Mode (127,0,0,1,%d,%d)", port>>8, port&255))
		return
	}
	s.say(fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)", port))
}

func (s *ftpSession) transfer(exists bool, before, after string, move func(net.Conn)) {
	if !exists || s.data == nil {
		s.say("550 no such file")
		return
	}
	s.say(before)
	s.data.(*net.TCPListener).SetDeadline(time.Now().Add(5 * time.Second))
	c, err := s.data.Accept()
	s.data.Close()
	s.data = nil
	if err != nil {
		return
	}
	move(c)
	c.Close()
	s.say(after)
}
