// Package hitmark marks the packets to clients whose requests were hits, so that routers
// and shapers can tell them (2.7's zph_mode). A mark is a value of the socket: it is set
// before the first byte of a reply and stays until a reply wants another one.
package hitmark

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"sync"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// Marks is what one configuration says about marks.
type Marks struct {
	mode                   conf.ZPHMode
	local, sibling, parent int
	option                 byte
	log                    *zap.Logger
	told                   sync.Once
}

// New is nil where nothing is marked.
func New(cfg *conf.Config, log *zap.Logger) *Marks {
	if cfg.ZPHMode == conf.ZPHOff {
		return nil
	}
	return &Marks{mode: cfg.ZPHMode, local: cfg.ZPHLocal, sibling: cfg.ZPHSibling, parent: cfg.ZPHParent, option: byte(cfg.ZPHOption), log: log}
}

// Of is the mark of a reply by the log's tag and hierarchy code, 0 for none. What a
// sibling or parent said it has is its hit; all else that is a hit is this cache's, also
// where no mark is given for theirs.
func (m *Marks) Of(tag, code string) int {
	switch {
	case m.sibling != 0 && (code == "SIBLING_HIT" || code == "CD_SIBLING_HIT"):
		return m.sibling
	case m.parent != 0 && (code == "PARENT_HIT" || code == "CD_PARENT_HIT"):
		return m.parent
	case strings.HasSuffix(tag, "_HIT"):
		return m.local
	}
	return 0
}

// Conn is a client's connection.
type Conn interface {
	// Control calls f with its descriptor; the error says that it is closed.
	Control(f func(fd uintptr)) error
	Remote() netip.AddrPort
}

// Socket is the mark of one connection. The zero value has none.
type Socket struct {
	by   *Marks
	mark int
}

// Set marks what the connection sends from now on, as m says, or no more where that is
// nil. Where the kernel refuses, that is told once.
func (s *Socket) Set(c Conn, m *Marks, tag, code string) {
	if s.by != m {
		s.change(c, 0) // by the rules it was set by
		s.by = m
	}
	if m != nil {
		s.change(c, m.Of(tag, code))
	}
}

func (s *Socket) change(c Conn, mark int) {
	if mark == s.mark {
		return
	}
	s.mark = mark
	m, six := s.by, c.Remote().Addr().Is6()
	var err error
	if c.Control(func(fd uintptr) { err = m.set(int(fd), six, mark) }) == nil && err != nil {
		m.told.Do(func() {
			m.log.Warn("WARNING: hits cannot be marked (zph_mode {mode}): {error}", zap.Stringer("mode", m.mode), report.Error(err))
		})
	}
}

func (m *Marks) set(fd int, six bool, mark int) error {
	switch {
	case m.mode == conf.ZPHPriority:
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, mark)
	case m.mode == conf.ZPHOption && six:
		return nil // such options are of IPv4
	case m.mode == conf.ZPHOption && mark == 0:
		return unix.SetsockoptString(fd, unix.IPPROTO_IP, unix.IP_OPTIONS, "")
	case m.mode == conf.ZPHOption:
		option := [4]byte{m.option, 4}
		binary.BigEndian.PutUint16(option[2:], uint16(mark))
		return unix.SetsockoptString(fd, unix.IPPROTO_IP, unix.IP_OPTIONS, string(option[:]))
	case six:
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, mark)
	}
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, mark)
}
