package delay

import (
	"encoding/json"
	"fmt"
	"io"
)

// Status is a pool as it is now, for -k delay.
type Status struct {
	Pool  int `json:"pool"`
	Class int `json:"class"`
	// Transfers belong to it, Waiting are those whose next octets wait; Octets is what
	// has passed.
	Transfers int64 `json:"transfers"`
	Waiting   int64 `json:"waiting"`
	Octets    int64 `json:"octets"`
	// Aggregate, Networks and Hosts are buckets; those that limit nobody, or were never
	// used, are left out.
	Aggregate *Level  `json:"aggregate,omitempty"`
	Networks  []Level `json:"networks,omitempty"`
	Hosts     []Level `json:"hosts,omitempty"`
}

// Level is a bucket as it is now.
type Level struct {
	// Name is that of the network, or of network and host.
	Name string `json:"name,omitempty"`
	// Octets are there; below zero when as many more have been read than may pass yet.
	Octets int64 `json:"octets"`
	// Restore is octets a second, Max the most the bucket holds, -1 for no maximum.
	Restore int64 `json:"restore"`
	Max     int64 `json:"max"`
}

func levelOf(name string, b *bucket, r rate, now int64) Level {
	b.fill(r, now)
	l := Level{Name: name, Octets: b.level, Restore: r.restore, Max: r.most}
	if r.most == unlimited {
		l.Max = -1
	}
	return l
}

// Status tells of every pool that has a class, in the order of the file.
func (p *Pools) Status() []Status {
	list := make([]Status, 0, len(p.list))
	for i, q := range p.list {
		if q != nil {
			list = append(list, q.status(i+1, p.now()))
		}
	}
	return list
}

func (p *pool) status(number int, now int64) Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := Status{Pool: number, Class: p.class, Transfers: p.transfers, Waiting: p.waits, Octets: p.moved}
	if !p.aggregate.off() {
		l := levelOf("", &p.all, p.aggregate, now)
		st.Aggregate = &l
	}
	for n := range 256 {
		if p.networkMade[n] {
			st.Networks = append(st.Networks, levelOf(fmt.Sprint(n), &p.networks[n], p.network, now))
		}
		h := p.hosts[n]
		if h == nil {
			continue
		}
		for i := range 256 {
			if !h.made[i] {
				continue
			}
			name := fmt.Sprint(i)
			if p.class == 3 {
				name = fmt.Sprint(n, ".", i)
			}
			st.Hosts = append(st.Hosts, levelOf(name, &h.buckets[i], p.host, now))
		}
	}
	return st
}

// WriteStatus writes pools for people.
func WriteStatus(w io.Writer, list []Status) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "No delay pools are configured.")
		return err
	}
	for i := range list {
		st := &list[i]
		if _, err := fmt.Fprintf(w, "pool %d, class %d: %d transfers, %d of them waiting, %d octets passed\n", st.Pool, st.Class, st.Transfers, st.Waiting, st.Octets); err != nil {
			return err
		}
		if st.Aggregate != nil {
			fmt.Fprintf(w, "  all: %v\n", st.Aggregate)
		}
		for j := range st.Networks {
			fmt.Fprintf(w, "  network %s: %v\n", st.Networks[j].Name, &st.Networks[j])
		}
		for j := range st.Hosts {
			fmt.Fprintf(w, "  host %s: %v\n", st.Hosts[j].Name, &st.Hosts[j])
		}
	}
	return nil
}

// String is what people read of it.
func (l *Level) String() string {
	most := fmt.Sprint(" of ", l.Max)
	if l.Max < 0 {
		most = ""
	}
	return fmt.Sprintf("%d%s, %d a second", l.Octets, most, l.Restore)
}

// WriteStatusJSON writes pools for programs.
func WriteStatusJSON(w io.Writer, list []Status) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(list)
}
