package conf

import "fmt"

// missingPeer is told for lines about a peer that was not defined; they are
// skipped (fact dir_cache_peer_access_unknown_peer).
func (r *reader) missingPeer(name string, at span) {
	r.say("%s, line %d: No cache_peer '%s'", r.b.base, r.number, name)
	var names []string
	for _, p := range r.b.cfg.Peers {
		names = append(names, p.Name)
	}
	r.warnAt(at, "peer-unknown", fmt.Sprintf("no cache_peer in front of this line is named %q; the line is skipped", name), "",
		nearest(name, names))
}

// peerAccess is the grammar of cache_peer_access.
func peerAccess() kind {
	return kind{name: "peer allow|deny [!]acl…",
		set: func(r *reader) error {
			name, err := r.need("the peer's name")
			if err != nil {
				return err
			}
			p := r.b.peer(name)
			if p == nil {
				r.missingPeer(name, r.here())
				return nil
			}
			rule, err := r.accessRule()
			if rule != nil {
				p.Access = append(p.Access, *rule)
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, p := range c.Peers {
				for _, rule := range p.Access {
					d.line(name, p.Name, ruleWords(rule))
				}
			}
		}}
}

// listed reads the next word of a list that commas separate as well as blanks.
func (r *reader) listed() (string, bool) { return r.cut(", \t\n\r") }

// peerDomains is the grammar of cache_peer_domain.
func peerDomains() kind {
	return kind{name: "peer [!]domain…",
		set: func(r *reader) error {
			name, err := r.need("the peer's name")
			if err != nil {
				return err
			}
			nameAt := r.here()
			p := r.b.peer(name)
			defer func() { r.b.mute = false }()
			for w := range each(r.listed) {
				if p == nil {
					r.missingPeer(name, nameAt)
					r.b.mute = true // 2.6 says so for each domain, we once
					continue
				}
				d := PeerDomain{Domain: w}
				if w[0] == '!' {
					d.Domain, d.Negate = w[1:], true
				}
				p.Domains = append(p.Domains, d)
			}
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, p := range c.Peers {
				for _, dom := range p.Domains {
					bang := ""
					if dom.Negate {
						bang = "!"
					}
					d.line(name, p.Name, bang+dom.Domain)
				}
			}
		}}
}

// peerTypeDomains is the grammar of neighbor_type_domain.
func peerTypeDomains() kind {
	return kind{name: "peer type domain…",
		set: func(r *reader) error {
			name, err := r.need("the peer's name")
			if err != nil {
				return err
			}
			nameAt := r.here()
			typeWord, err := r.need("the type")
			if err != nil {
				return err
			}
			typeAt := r.here()
			p := r.b.peer(name)
			for w := range each(r.listed) {
				if p == nil {
					r.missingPeer(name, nameAt)
					return nil
				}
				p.TypeDomains = append(p.TypeDomains, PeerTypeDomain{Type: r.peerType(typeWord, typeAt), Domain: w})
			}
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, p := range c.Peers {
				for _, t := range p.TypeDomains {
					d.line(name, p.Name, peerTypeWords[t.Type], t.Domain)
				}
			}
		}}
}

// peer finds a peer by name, without regard to case.
func (b *builder) peer(name string) *Peer { return b.peers[lowerASCII(name)] }
