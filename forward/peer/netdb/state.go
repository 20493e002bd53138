package netdb

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Save writes what was measured from here in the form of 2.6's netdb_state: a line
// for each network with packets sent and answered, hops, round trip in
// milliseconds, when to measure again, when last used, and the hosts in it.
func (t *Table) Save(to io.Writer) error {
	w := bufio.NewWriter(to)
	t.mu.Lock()
	for _, n := range t.sorted() {
		if n.received == 0 {
			continue
		}
		fmt.Fprintf(w, "%s %d %d %10.5f %10.5f %d %d", n.addr, n.sent, n.received, n.hops, n.rtt, unix(n.next), unix(n.used))
		for _, h := range n.hosts {
			fmt.Fprintf(w, " %s", h)
		}
		fmt.Fprintln(w)
	}
	t.mu.Unlock()
	return w.Flush()
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// Load reads what Save or a 2.6 wrote and gives the number of networks. A line
// that says what cannot be is passed over.
func (t *Table) Load(from io.Reader) (networks int, err error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 64<<10)
	t.mu.Lock()
	defer t.mu.Unlock()
	for lines.Scan() && len(t.networks) < t.high {
		if t.load(strings.Fields(lines.Text())) {
			networks++
		}
	}
	return networks, lines.Err()
}

func (t *Table) load(f []string) bool {
	if len(f) < 7 {
		return false
	}
	addr, err := netip.ParseAddr(f[0])
	if err != nil {
		return false
	}
	a, ok := Network(addr)
	if !ok || t.networks[a] != nil {
		return false
	}
	n := network{addr: a}
	var whole [4]int64
	for i, at := range []int{1, 2, 5, 6} {
		if whole[i], err = strconv.ParseInt(f[at], 10, 64); err != nil || whole[i] < 0 {
			return false
		}
	}
	n.sent, n.received = int(whole[0]), int(whole[1])
	n.next, n.used = time.Unix(whole[2], 0), time.Unix(whole[3], 0)
	for i, to := range []*float64{&n.hops, &n.rtt} {
		// The comparison also refuses what is no number.
		if *to, err = strconv.ParseFloat(f[3+i], 64); err != nil || !(*to >= 0 && *to < 1e9) {
			return false
		}
	}
	if n.received == 0 {
		return false
	}
	t.networks[a] = &n
	t.known.Add(1)
	t.measured.Add(1)
	for _, h := range f[7:] {
		t.name(strings.ToLower(h), &n)
	}
	return true
}
