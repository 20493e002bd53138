package conf

import (
	"fmt"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// lint looks for what parses and will not work. Each finding has a Check name;
// lint_test.go has an example of each.
func (b *builder) lint() {
	b.lintACLs()
	for _, name := range lintedLists {
		b.lintRules(name, *Lookup(name).kind.access(b.cfg))
	}
	b.lintOpen()
	b.lintPeers()
	b.lintRefresh()
	b.lintInterception()
}

// lintedLists are the access lists whose rules are compared with each other.
var lintedLists = []string{"http_access", "http_reply_access", "icp_access", "miss_access", "always_direct", "never_direct", "cache",
	"url_rewrite_access", "htcp_access", "snmp_access", "log_access"}

func (b *builder) finding(at parser.Pos, n int, check, summary, detail string) {
	if at.IsZero() {
		return
	}
	b.diagnose(Diagnostic{Severity: Warning, Pos: at, Len: n, Check: check, Summary: summary, Detail: detail})
}

// lintACLs finds ACLs nobody needs or that match nobody.
func (b *builder) lintACLs() {
	for _, a := range b.cfg.ACLs {
		_, a.partial = b.refusedACLs[lowerASCII(a.Name)]
		if a.matchesNothing() && !a.partial {
			b.finding(a.Pos, len(a.Name), "acl-empty", fmt.Sprintf("acl %s has no value and matches nothing", a.Name), "")
		}
		if !b.used[a] && !a.stock() && !b.strays[lowerASCII(a.Name)] {
			b.finding(a.Pos, len(a.Name), "acl-unused", fmt.Sprintf("acl %s is defined and never used", a.Name), "")
		}
	}
}

// stock reports whether the ACL is one that 2.6's own squid.conf defines and does
// not use.
func (a *ACL) stock() bool { return strings.EqualFold(a.Name, "to_localhost") && a.Type == ACLDst }

// truth is what is known of an ACL without a request.
type truth int8

const (
	never truth = iota - 1
	unknownTruth
	always
)

// known tells what is known of an ACL reference without a request.
func (ref ACLRef) known() truth {
	t := unknownTruth
	switch a := ref.ACL; {
	case a.partial:
	case a.matchesNothing():
		t = never
	case a.Type == ACLSrc || a.Type == ACLMyIP:
		if a.Networks.HasAll() {
			t = always
		}
	}
	if ref.Negate {
		t = -t
	}
	return t
}

// known reports whether a rule matches every request, none, or it depends.
func (rule AccessRule) known() truth {
	t := always
	for _, ref := range rule.ACLs {
		switch ref.known() {
		case never:
			return never
		case unknownTruth:
			t = unknownTruth
		}
	}
	if t == unknownTruth && rule.contradiction() != "" {
		return never
	}
	return t
}

// asksEmpty reports whether the rule wants an ACL that matches nothing.
func (rule AccessRule) asksEmpty() bool {
	for _, ref := range rule.ACLs {
		if ref.known() == never {
			return true
		}
	}
	return false
}

// contradiction names two ACLs of a rule that cannot both hold.
func (rule AccessRule) contradiction() string {
	for i, x := range rule.ACLs {
		for _, y := range rule.ACLs[:i] {
			switch {
			case x.ACL == y.ACL && x.Negate != y.Negate,
				x.ACL != y.ACL && !x.Negate && !y.Negate && disjoint(x.ACL, y.ACL):
				return fmt.Sprintf("%s and %s", refWords([]ACLRef{y})[1:], refWords([]ACLRef{x})[1:])
			}
		}
	}
	return ""
}

// disjoint reports whether two ACLs look at the same thing and share no value.
func disjoint(a, b *ACL) bool {
	if a.Type != b.Type || a.partial || b.partial || a.Networks.Len()*b.Networks.Len() > 10_000 {
		return false
	}
	switch a.Type {
	case ACLMethod:
		return !shareWord(a.Methods, b.Methods)
	case ACLProto:
		return !shareWord(a.Protocols, b.Protocols)
	case ACLPort, ACLMyPort:
		for _, x := range a.Ports {
			for _, y := range b.Ports {
				if x.First <= y.Last && y.First <= x.Last {
					return false
				}
			}
		}
		return true
	case ACLSrc, ACLMyIP:
		for x := range a.Networks.All() {
			for y := range b.Networks.All() {
				if x.First.Is4() != y.First.Is4() {
					continue
				}
				if !x.First.Is4() || compareNetwork(x.numbers(), y.numbers()) == 0 || compareNetwork(y.numbers(), x.numbers()) == 0 ||
					x.Last.IsValid() || y.Last.IsValid() {
					return false
				}
			}
		}
		return true
	}
	return false
}

func (n IPRange) numbers() network4 {
	v := network4{first: bits4(n.First), mask: bits4(n.Mask)}
	if n.Last.IsValid() {
		v.last = bits4(n.Last)
	}
	return v
}

func shareWord(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}

// maxLintRules bounds the comparison of every rule with every other.
const maxLintRules = 2000

// lintRules finds rules that can never decide anything.
func (b *builder) lintRules(name string, list AccessList) {
	for i, rule := range list {
		if i >= maxLintRules {
			return
		}
		if rule.known() == never {
			detail := ""
			if c := rule.contradiction(); c != "" && !rule.asksEmpty() {
				detail = c + " exclude each other; ACLs of one line must all hold."
			}
			b.finding(rule.Pos, len(name), "access-never", fmt.Sprintf("this %s line can never match", name), detail)
			continue
		}
		for _, before := range list[:i] {
			if before.covers(rule) {
				b.finding(rule.Pos, len(name), "access-shadowed", fmt.Sprintf("this %s line is never reached: line %d decides whatever it matches",
					name, before.Pos.Line), "")
				break
			}
		}
	}
}

// covers reports whether every request rule matches is matched by r as well: r asks for
// nothing that rule does not ask for.
func (r AccessRule) covers(rule AccessRule) bool {
	for _, want := range r.ACLs {
		if want.known() == always {
			continue
		}
		found := false
		for _, has := range rule.ACLs {
			if has.ACL == want.ACL && has.Negate == want.Negate {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// limitsNobody are the ACL types that say nothing about who asks, and allow an
// open proxy when they stand alone.
var limitsNobody = map[ACLType]bool{ACLPort: true, ACLMethod: true, ACLProto: true, ACLTime: true, ACLMyPort: true, ACLMaxConn: true, ACLBrowser: true}

// lintOpen finds http_access lists that serve everybody.
func (b *builder) lintOpen() {
	if b.gaps["http_access"] {
		return // a line that is missing may be the one that closes it
	}
	list := b.cfg.HTTPAccess
	end := list.decided()
	for i, rule := range list {
		if i > end {
			return
		}
		open := rule.Allow && rule.known() != never
		for _, ref := range rule.ACLs {
			if ref.known() != always && !limitsNobody[ref.ACL.Type] {
				open = false
			}
		}
		if open {
			b.finding(rule.Pos, len("http_access"), "access-open", "this http_access line admits the whole world",
				"Name the clients with acl src, or make them log in.")
			return
		}
		if rule.known() == always {
			return
		}
	}
	if n := len(list); n > 0 && end >= n && !list[n-1].Allow && list[n-1].known() != always {
		b.finding(list[n-1].Pos, len("http_access"), "access-open", "requests that no http_access line matches are allowed",
			"When no line matches, the opposite of the last line's verb holds. End the list with http_access deny all.")
	}
}

// decided gives the index of the second of two rules that are an ACL and its opposite:
// nothing gets past them. Without such rules it is behind the list.
func (list AccessList) decided() int {
	type literal struct {
		acl    *ACL
		negate bool
	}
	seen := map[literal]bool{}
	for i, rule := range list[:min(len(list), maxLintRules)] {
		if len(rule.ACLs) != 1 {
			continue
		}
		ref := rule.ACLs[0]
		if seen[literal{ref.ACL, !ref.Negate}] {
			return i
		}
		seen[literal{ref.ACL, ref.Negate}] = true
	}
	return len(list)
}

// lintPeers finds peers no request can reach.
func (b *builder) lintPeers() {
	if b.gaps["cache_peer_access"] {
		return
	}
	for _, p := range b.cfg.Peers {
		if !p.reachable() {
			b.finding(p.Pos, len("cache_peer"), "peer-unreachable",
				fmt.Sprintf("no request can reach cache_peer %s: its cache_peer_access lines deny everything", p.Name), "")
		}
	}
}

// reachable walks the peer's access list the way a request does.
func (p *Peer) reachable() bool {
	for _, rule := range p.Access {
		switch {
		case rule.known() == never:
		case rule.Allow:
			return true
		case rule.known() == always:
			return false
		}
	}
	// At the end the opposite of the last verb holds.
	return len(p.Access) == 0 || !p.Access[len(p.Access)-1].Allow
}
