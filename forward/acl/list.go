package acl

import (
	"context"
	"fmt"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// List is one compiled access list.
type List struct {
	rules []rule
	// whenEmpty is the answer of a list without lines.
	whenEmpty Verdict
	// admits: the list lets clients in, so the rules for IPv6 hold.
	admits bool
	// asksDst: some line has a dst or dst_as ACL. asksHelpers: some one asks a helper.
	asksDst, asksHelpers bool
	// waits: credentials that are missing end the check with Challenge, and a client's
	// host is asked for its user, a helper what it says; 2.6 passes over these where it
	// cannot wait.
	waits bool

	// settled: the first line holds for every client, so it always decides; last is the
	// name of its last ACL.
	settled bool
	last    string

	name  string // of the directive, for the trace
	trace report.Section
}

// rule is one allow or deny line.
type rule struct {
	cond  Cond
	allow bool
	// admits6: a positive src ACL in the line names IPv6 addresses or all.
	admits6 bool
}

// Empty reports whether the directive had no lines.
func (l *List) Empty() bool { return len(l.rules) == 0 }

// AsksDst reports whether the list judges by the address a request goes to.
func (l *List) AsksDst() bool { return l.asksDst }

// AsksHelpers reports whether a check may wait for a helper program.
func (l *List) AsksHelpers() bool { return l.asksHelpers }

// Check decides. It blocks on DNS and helpers where a line really needs them;
// when ctx ends meanwhile, what was waited for counts as not found.
func (l *List) Check(ctx context.Context, f *Facts) Answer {
	if len(l.rules) == 0 {
		return Answer{Verdict: l.whenEmpty, Told: f.Told}
	}
	traced := l.trace.On(3)
	if l.settled && !traced && f.Client.IsValid() {
		a := Answer{Last: l.last, Told: f.Told}
		if l.rules[0].allow {
			a.Verdict = Allowed
		}
		return a
	}
	stranger := l.admits && f.Client.Is6()
	a := Answer{Told: f.Told, fast: !l.waits}
	if traced {
		a.trace = &l.trace
	}
	for i := range l.rules {
		r := &l.rules[i]
		if a.trace != nil {
			a.trace.Say(3, "aclCheck: checking '{list} {rule}'", zap.String("list", l.name), zap.String("rule", fmt.Sprint(r)))
		}
		outcome := r.cond.test(ctx, f, &a, !r.allow)
		if outcome == AskCredentials && l.waits {
			a.Verdict = Challenge
			return a
		}
		// What cannot be found out yet never lets anybody in: the allow line does
		// not match, the deny line does.
		if outcome == Missing && !r.allow {
			outcome = Yes
		}
		if outcome != Yes {
			continue
		}
		if a.trace != nil {
			a.trace.Say(3, "aclCheck: match found, returning {allowed}", zap.Int("allowed", number(r.allow)))
		}
		if !r.allow {
			return a
		}
		if stranger && !r.admits6 {
			a.IPv4Only = true
			continue
		}
		a.Verdict = Allowed
		return a
	}
	// Nothing matched: the opposite of the last line holds.
	if !l.rules[len(l.rules)-1].allow && !stranger {
		a.Verdict = Allowed
	}
	return a
}

// Ask is Check, and leaves what helpers said in the facts: the log names the user of an
// external ACL whichever list asked for it, and whatever its answer was.
func (l *List) Ask(ctx context.Context, f *Facts) Answer {
	a := l.Check(ctx, f)
	f.Told = a.Told
	return a
}

// Cond is ACLs that must all hold: the tail of tcp_outgoing_address,
// tcp_outgoing_tos and access_log lines. Without ACLs it always holds.
type Cond struct{ refs []ref }

// ref is one word of a line.
type ref struct {
	name   string
	negate bool
	match  matcher
	tell   teller  // match, when it is one
	claim  claimer // likewise
	ident  *ident  // likewise
}

// Match reports whether all ACLs hold.
func (c *Cond) Match(ctx context.Context, f *Facts) bool {
	if len(c.refs) == 0 {
		return true
	}
	a := Answer{Told: f.Told, fast: true}
	return c.test(ctx, f, &a, false) == Yes
}

// test goes through the ACLs until one does not hold, and leaves the name of
// the last one looked at and what helpers said in a.
// Missing is the outcome only when all the others hold. It does for denies, the
// condition of a deny line, what Yes does: nothing is found out that would only make
// the one the other.
func (c *Cond) test(ctx context.Context, f *Facts, a *Answer, denies bool) Ternary {
	all := Yes
	for i := range c.refs {
		r := &c.refs[i]
		a.Last = r.name
		var outcome Ternary
		if a.trace != nil {
			a.trace.Say(3, "aclMatchAclList: checking {acl}", zap.String("acl", fmt.Sprint(r)))
		}
		claimed := Unknown
		if denies && r.claim != nil {
			claimed = r.claim.claimed(f)
		}
		if claimed == yes(!r.negate) {
			outcome = Missing
		} else if claimed != Unknown {
			outcome = r.claim.settle(ctx, f, claimed)
		} else if a.fast && r.ident != nil {
			outcome = r.ident.known(f)
		} else if r.tell != nil {
			outcome, a.Told = r.tell.tell(ctx, f, a.Told, !a.fast)
		} else {
			outcome = r.match.match(ctx, f)
		}
		if a.trace != nil {
			a.trace.Say(3, "aclMatchAclList: {acl} returns {outcome}", zap.String("acl", r.name), zap.String("outcome", fmt.Sprint(outcome)))
		}
		switch {
		case outcome == Missing:
			all = Missing
		case outcome < No:
			return outcome
		case (outcome == Yes) == r.negate:
			return No
		}
	}
	return all
}

// matcher is one compiled ACL.
type matcher interface {
	match(ctx context.Context, f *Facts) Ternary
}

// teller is one that asks helpers, who may say more than yes and no: it is given
// what was said before, and gives that and what was said to it. Where nobody waits it
// tells only what helpers have told before.
type teller interface {
	tell(ctx context.Context, f *Facts, before *Told, waits bool) (Ternary, *Told)
}

// asksDst reports whether one of the ACLs is about the address a request goes to.
func (c *Cond) asksDst() bool {
	for i := range c.refs {
		if _, ok := c.refs[i].match.(*dst); ok {
			return true
		}
	}
	return false
}

// asksHelpers reports whether one of the ACLs is about what helpers say.
func (c *Cond) asksHelpers() bool {
	for i := range c.refs {
		if c.refs[i].tell != nil {
			return true
		}
	}
	return false
}

// names6 is the matchers that can let an IPv6 client in.
type names6 interface{ namesIPv6() bool }

// everybody reports whether the condition holds for every client: its ACLs are all src
// with 0.0.0.0/0, which both families match.
func (c *Cond) everybody() bool {
	for i := range c.refs {
		if m, ok := c.refs[i].match.(*src); !ok || !m.all || c.refs[i].negate {
			return false
		}
	}
	return len(c.refs) > 0
}

// settle notes whether the first line always decides.
func (l *List) settle() {
	if len(l.rules) > 0 && l.rules[0].cond.everybody() {
		refs := l.rules[0].cond.refs
		l.settled, l.last = true, refs[len(refs)-1].name
	}
}

// compileCond compiles the ACLs of a line.
func (c *compiler) compileCond(refs []conf.ACLRef) Cond {
	cond := Cond{refs: make([]ref, 0, len(refs))}
	for _, r := range refs {
		m := c.matcher(r.ACL)
		tell, _ := m.(teller)
		claim, _ := m.(claimer)
		who, _ := m.(*ident)
		cond.refs = append(cond.refs, ref{r.ACL.Name, r.Negate, m, tell, claim, who})
	}
	return cond
}

func (c *compiler) compileRule(r *conf.AccessRule) rule {
	compiled := rule{cond: c.compileCond(r.ACLs), allow: r.Allow}
	for _, ref := range compiled.cond.refs {
		if n, ok := ref.match.(names6); ok && !ref.negate && n.namesIPv6() {
			compiled.admits6 = true
		}
	}
	return compiled
}
