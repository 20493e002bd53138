package conf

import (
	"iter"
	"math/rand/v2"
	"strings"
	"unsafe"
)

// Domains is the values of dstdomain or srcdomain, in lower case: a leading dot covers
// the domain itself and everything below it. A table of numbers finds them by name, so
// that Has costs as many look-ups as the host has labels.
type Domains struct {
	texts  texts
	table  []uint32 // numbers of values, counted from 1, by the hash of their names
	dotted int      // values with a leading dot
}

// DomainsOf makes the list of some values.
func DomainsOf(values ...string) Domains {
	var d Domains
	for _, v := range values {
		d.add(lowerASCII(v))
	}
	return d
}

// Len is the number of values.
func (d *Domains) Len() int { return d.texts.len() }

// At gives value i, which shares the list's memory.
func (d *Domains) At(i int) string { return d.texts.at(i) }

// All is the values in their order.
func (d *Domains) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 0; i < d.Len() && yield(d.At(i)); i++ {
		}
	}
}

// ForgetLists empties the lists of names and patterns of all ACLs, for a process that
// reads a configuration for its paths and networks only: long lists are not held twice.
func (c *Config) ForgetLists() {
	for _, a := range c.ACLs {
		a.Domains, a.Regexes, a.Headers = Domains{}, Regexes{}, nil
	}
}

// Has reports whether a host, in lower case, is one of the values or below one with a
// dot. Dots in front of the host do not count.
func (d *Domains) Has(host string) bool {
	_, found := d.number(host)
	return found
}

// number gives the number of a value that says so.
func (d *Domains) number(host string) (number uint32, found bool) {
	host = strings.TrimLeft(host, ".")
	if host == "" || len(d.table) == 0 {
		return 0, false
	}
	h := newDomainHash()
	for i := len(host) - 1; i >= 0; i-- {
		if host[i] == '.' && d.dotted > 0 {
			if number, found = d.find(host[i+1:], h, true); found {
				return number, true
			}
		}
		h = h.with(host[i])
	}
	return d.find(host, h, false)
}

// find gives the number of a value of that name, with a dot in front where dotted asks
// for it.
func (d *Domains) find(name string, h domainHash, dotted bool) (number uint32, found bool) {
	mask := uint32(len(d.table) - 1)
	for slot := h.slot() & mask; d.table[slot] != 0; slot = (slot + 1) & mask {
		v := d.At(int(d.table[slot] - 1))
		if v[0] == '.' {
			v = v[1:]
		} else if dotted {
			continue
		}
		if v == name {
			return d.table[slot] - 1, true
		}
	}
	return 0, false
}

// add appends a value.
func (d *Domains) add(v string) {
	d.texts.add(v)
	if v[0] == '.' {
		d.dotted++
	}
	if 3*d.Len() <= 2*len(d.table) {
		d.put(d.Len())
		return
	}
	d.table = make([]uint32, max(8, 2*len(d.table)))
	for i := range d.Len() {
		d.put(i + 1)
	}
}

func (d *Domains) put(number int) {
	mask := uint32(len(d.table) - 1)
	slot := hashDomain(domainName(d.At(number-1))).slot() & mask
	for d.table[slot] != 0 {
		slot = (slot + 1) & mask
	}
	d.table[slot] = uint32(number)
}

// domainName is a value without the dot in front.
func domainName(v string) string { return strings.TrimPrefix(v, ".") }

// domainHash is the hash of a name, made from its end, so that those of the domains
// it lies in are met on the way. Its beginning differs from run to run: whoever writes
// a public list cannot choose names that meet.
type domainHash uint64

var domainHashSeed, domainHashFactor = domainHash(rand.Uint64()), domainHash(rand.Uint64() | 1)

func newDomainHash() domainHash { return domainHashSeed }

func (h domainHash) with(c byte) domainHash { return (h ^ domainHash(c)) * domainHashFactor }

// slot spreads the hash over the low bits.
func (h domainHash) slot() uint32 { return uint32(h>>32) ^ uint32(h>>11) }

func hashDomain(name string) domainHash {
	h := newDomainHash()
	for i := len(name) - 1; i >= 0; i-- {
		h = h.with(name[i])
	}
	return h
}

func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
