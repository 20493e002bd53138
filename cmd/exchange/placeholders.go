package main

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const host = "127.0.0.1"

// serverNames are the scripted servers a scenario can name.
var serverNames = []string{"ORIGIN", "ORIGIN2", "ORIGIN3", "PEER1", "PEER2", "PEER3", "DEAD", "DEAD2", "HANG", "FTP", "DNS"}

var placeholder = regexp.MustCompile(`\{((?:PORT(?:_[A-Z0-9]+)?)|(?:(?:` + strings.Join(serverNames, "|") + `)(?:_PORT|_ICP)?)` +
	`|CONF_DIR|NAME|SH|PYTHON|DNS_ADDR|DATE(?::[+-]?\d+)?|FILL:\d+:[^}]|HEX:[0-9a-fA-F]+|TIME:[+-]?\d+)\}`)

// values are the values of the placeholders for one scenario in one instance.
type values struct {
	pool    *portPool
	dir     string
	name    string
	dnsAddr string
	start   time.Time

	mu    sync.Mutex
	ports map[string]int
}

// within gives the values of another scenario in the same instance.
func (v *values) within(name string) *values {
	v.mu.Lock()
	defer v.mu.Unlock()
	ports := map[string]int{}
	for k, p := range v.ports {
		ports[k] = p
	}
	return &values{pool: v.pool, dir: v.dir, name: name, dnsAddr: v.dnsAddr, start: time.Now(), ports: ports}
}

func (v *values) port(name string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p, ok := v.ports[name]; ok {
		return p
	}
	p := v.pool.take()
	v.ports[name] = p
	return p
}

// expand fills the placeholders in and gives the bytes the text stands for.
func (v *values) expand(s string) string {
	return toBytes(placeholder.ReplaceAllStringFunc(s, func(m string) string { return v.value(m[1 : len(m)-1]) }))
}

func (v *values) value(key string) string {
	word, arg, _ := strings.Cut(key, ":")
	switch {
	case key == "CONF_DIR":
		return v.dir
	case key == "NAME":
		return v.name
	case key == "SH":
		return "/bin/sh"
	case key == "PYTHON":
		return "/usr/bin/python3"
	case key == "DNS_ADDR":
		return v.dnsAddr
	case word == "DATE":
		off, _ := strconv.Atoi(strings.TrimPrefix(arg, "+"))
		return time.Unix(v.start.Unix()+int64(off), 0).UTC().Format(http.TimeFormat)
	case word == "TIME":
		off, _ := strconv.Atoi(strings.TrimPrefix(arg, "+"))
		return strconv.FormatInt(v.start.Unix()+int64(off), 10)
	case word == "FILL":
		n, c, _ := strings.Cut(arg, ":")
		count, _ := strconv.Atoi(n)
		return strings.Repeat(c, count)
	case word == "HEX":
		raw, _ := hex.DecodeString(arg)
		runes := make([]rune, len(raw))
		for i, b := range raw {
			runes[i] = rune(b)
		}
		return string(runes)
	case strings.HasPrefix(key, "PORT"):
		return strconv.Itoa(v.port(key))
	case strings.HasSuffix(key, "_PORT"):
		return strconv.Itoa(v.port(strings.TrimSuffix(key, "_PORT")))
	case strings.HasSuffix(key, "_ICP"):
		return strconv.Itoa(v.port(key))
	}
	return fmt.Sprintf("%s:%d", host, v.port(key))
}

// mask puts placeholders back in the place of ports and of the folder.
func (v *values) mask(text string, clientPorts []int) string {
	v.mu.Lock()
	names := make([]string, 0, len(v.ports))
	for k := range v.ports {
		names = append(names, k)
	}
	sort.Slice(names, func(i, j int) bool {
		if len(names[i]) != len(names[j]) {
			return len(names[i]) > len(names[j])
		}
		return names[i] < names[j]
	})
	for _, k := range names {
		tag := "{" + k + "_PORT}"
		if strings.HasPrefix(k, "PORT") || strings.HasSuffix(k, "_ICP") {
			tag = "{" + k + "}"
		}
		text = replaceNumber(text, strconv.Itoa(v.ports[k]), tag, digit)
	}
	v.mu.Unlock()
	for _, p := range clientPorts {
		text = replaceNumber(text, strconv.Itoa(p), "{CPORT}", digit)
	}
	return strings.ReplaceAll(text, v.dir, "{CONF_DIR}")
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func digitOrDot(c byte) bool { return digit(c) || c == '.' }

// replaceNumber replaces a number where no character that clings to it stands
// on either side.
func replaceNumber(text, number, with string, clings func(byte) bool) string {
	if !strings.Contains(text, number) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		end := i + len(number)
		if end <= len(text) && text[i:end] == number && (i == 0 || !clings(text[i-1])) && (end == len(text) || !clings(text[end])) {
			b.WriteString(with)
			i = end
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
}

// portPool hands out five-digit ports of one worker in rotation, because URLs
// and so lengths contain them.
type portPool struct {
	base, count, next int
	mu                sync.Mutex
}

func (p *portPool) take() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range p.count {
		port := p.base + p.next%p.count
		p.next++
		if portIsFree(port) {
			return port
		}
	}
	panic("exchange: no free port in the range given")
}

func portIsFree(port int) bool {
	for _, kind := range []int{syscall.SOCK_STREAM, syscall.SOCK_DGRAM} {
		fd, err := syscall.Socket(syscall.AF_INET, kind|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			return false
		}
		if kind == syscall.SOCK_STREAM {
			syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
		}
		addr := &syscall.SockaddrInet4{Port: port}
		copy(addr.Addr[:], net.ParseIP(host).To4())
		err = syscall.Bind(fd, addr)
		syscall.Close(fd)
		if err != nil {
			return false
		}
	}
	return true
}
