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
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	replies := s.o.spec.FTP.Replies
	forced, isForced := replies[line]
	if !isForced {
		forced, isForced = replies[verb]
	}
	switch {
	case isForced:
		s.say(forced)
	case verb == "QUIT":
		s.say("221 bye")
		return false
	case plainReplies[verb] != "":
		s.say(plainReplies[verb])
	default:
		s.act(verb, arg)
	}
	return true
}

// plainReplies answer commands that ask for nothing to be done.
var plainReplies = map[string]string{
	"USER": "331 password please", "PASS": "230 logged in", "TYPE": "200 type ok", "SYST": "215 UNIX Type: L8",
	"CDUP": "250 ok", "REST": "350 ok",
}

// act does what the other commands ask for.
func (s *ftpSession) act(verb, arg string) {
	spec := s.o.spec.FTP
	file, isFile := spec.Files[arg]
	switch verb {
	case "PASV", "EPSV":
		s.passive(verb)
	case "CWD":
		if path.IsAbs(arg) {
			s.cwd = arg
		} else {
			s.cwd = strings.TrimSuffix(s.cwd, "/") + "/" + arg
		}
		s.say("250 ok")
	case "PWD":
		s.say(fmt.Sprintf("257 %q", s.cwd))
	case "SIZE", "MDTM":
		switch {
		case !isFile:
			s.say("550 no such file")
		case verb == "SIZE":
			s.say(fmt.Sprintf("213 %d", len(s.o.vals.expand(file))))
		default:
			s.say("213 20200102030405")
		}
	case "RETR":
		s.send(isFile, file)
	case "LIST", "NLST":
		s.send(true, spec.Lists[verb])
	case "STOR":
		s.transfer(true, "150 go", "226 stored", func(c net.Conn) {
			got, _ := io.ReadAll(c)
			s.noteLine("DATA " + string(got))
		})
	default:
		s.say("502 not here")
	}
}

func (s *ftpSession) send(exists bool, text string) {
	s.transfer(exists, "150 here it comes", "226 done", func(c net.Conn) { io.WriteString(c, s.o.vals.expand(text)) })
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
