package wire

import "net/netip"

// eachAddr calls f for every address field of the message.
func (m *Message) eachAddr(f func(netip.Addr)) {
	all := func(list []netip.Addr) {
		for _, a := range list {
			f(a)
		}
	}
	if i := m.RouterIdentity; i != nil {
		f(i.ID)
		f(i.SentTo)
		all(i.ReceivedFrom)
	}
	if q := m.Query; q != nil {
		f(q.ID)
		f(q.SentTo)
		f(q.Target)
	}
	if m.CacheIdentity != nil {
		m.CacheIdentity.eachAddr(f)
	}
	if v := m.RouterView; v != nil {
		f(v.Key.Addr)
		all(v.Routers)
		for i := range v.Caches {
			v.Caches[i].eachAddr(f)
		}
	}
	if v := m.CacheView; v != nil {
		for _, r := range v.Routers {
			f(r.ID)
		}
		all(v.Caches)
	}
	for _, c := range m.Commands {
		f(c.Cache)
	}
	for _, a := range []*Assignment{m.Assignment, m.AltAssignment} {
		if a != nil {
			a.eachAddr(f)
		}
	}
	for _, a := range []*AssignmentMap{m.AssignmentMap, m.AltMap} {
		if a == nil {
			continue
		}
		if a.Hash != nil {
			a.Hash.eachAddr(f)
		}
		eachSetAddr(a.Sets, f)
		eachAltSetAddr(a.AltSets, f)
	}
}

func (c *CacheIdentity) eachAddr(f func(netip.Addr)) {
	f(c.Addr)
	eachSetAddr(c.Sets, f)
	eachAltSetAddr(c.AltSets, f)
}

func (a *Assignment) eachAddr(f func(netip.Addr)) {
	f(a.Key.Addr)
	for _, r := range a.Routers {
		f(r.ID)
	}
	a.HashTable.eachAddr(f)
	eachSetAddr(a.Sets, f)
	eachAltSetAddr(a.AltSets, f)
}

func (t *HashTable) eachAddr(f func(netip.Addr)) {
	for _, c := range t.Caches {
		f(c)
	}
}

func (m *Mask) eachAddr(f func(netip.Addr)) {
	f(m.SrcAddr)
	f(m.DstAddr)
}

func eachSetAddr(sets []MaskValueSet, f func(netip.Addr)) {
	for _, s := range sets {
		s.Mask.eachAddr(f)
		for _, v := range s.Values {
			v.Mask.eachAddr(f)
			f(v.Cache)
		}
	}
}

func eachAltSetAddr(sets []AltMaskValueSet, f func(netip.Addr)) {
	for _, s := range sets {
		s.Mask.eachAddr(f)
		for _, c := range s.Caches {
			f(c.Cache)
		}
	}
}
