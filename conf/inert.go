package conf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// Option is a word inside the lines of a directive that is read and dumped and has
// no effect, although the directive has. What acts is not listed: whoever makes an
// option work takes its row away.
type Option struct {
	// Name is the word, with = behind it where a value follows, or the name of a
	// place in the line.
	Name string
	// Effect is Pending or Obsolete.
	Effect Effect
	// Why is what is missing, where the word does not say so, "" elsewhere.
	Why string
	// Harm says why a start is refused with this option, nil where it is not.
	Harm *Harm

	// find returns the index of the word that asks for the option in the arguments
	// of a line, -1 for none. nil looks for Name, case ignored.
	find func(words []parser.Word) int
}

// Harm is what would happen behind the operator's back if a file were served
// without the effect of a directive or option. The list of those is closed: they
// end the start, not -k parse, until accept_without_effect names them.
type Harm struct {
	// Text says what would happen, as in "requests go there in clear".
	Text string
	// unless reports whether the rest of the file says that it may happen.
	unless func(*Config) bool
}

// Inert is a directive, or an option of one, that a file gives and nothing acts on.
type Inert struct {
	Directive *Directive
	// Option is the word in the line, "" for the whole directive.
	Option string
	// Effect is Pending or Obsolete.
	Effect Effect
	// Pos is the first place where the file gives it.
	Pos parser.Pos
	// Why is what is missing, "" where the name says so.
	Why string
	// Harm is why the file is not to be served, "" when it can be.
	Harm string

	harm *Harm
}

// Name is the directive, and the option behind it.
func (i *Inert) Name() string {
	if i.Option == "" {
		return i.Directive.Name
	}
	return i.Directive.Name + " " + i.Option
}

// Text is the sentence about it.
func (i *Inert) Text() string {
	text := i.Name() + " has no effect in this release"
	if i.Effect == Obsolete {
		text = i.Name() + " is accepted and has nothing left to act on"
	}
	if i.Why != "" {
		text += ": " + i.Why
	}
	return text
}

// Key is what accept_without_effect calls it: "cache_peer", "cache_peer:ssl".
func (i *Inert) Key() string { return harmKey(i.Directive, i.Option) }

func harmKey(d *Directive, option string) string {
	if option == "" {
		return d.Name
	}
	return d.Name + ":" + strings.TrimSuffix(option, "=")
}

// Harmful are the first texts of why a file is not to be served, one for each
// directive or option at fault; empty when it can be.
func (r *Report) Harmful() (list []string) {
	for i := range r.Inert {
		if in := &r.Inert[i]; in.Harm != "" {
			list = append(list, fmt.Sprintf("%s line %d: %s: %s (accept_without_effect %s serves the file all the same)",
				in.Pos.File, in.Pos.Line, in.Text(), in.Harm, in.Key()))
		}
	}
	return list
}

// inert notes what a line that was accepted asks for in vain.
func (b *builder) inert(d *Directive, line *parser.Line) {
	if d.Effect != Acts {
		b.noteInert(Inert{Directive: d, Effect: d.Effect, Pos: line.NamePos(), harm: d.Harm})
		return
	}
	if len(d.Options) == 0 {
		return
	}
	for i := range d.Options {
		o := &d.Options[i]
		if at := o.in(line.Args.Words); at >= 0 {
			b.noteInert(Inert{Directive: d, Option: o.Name, Effect: o.Effect, Why: o.Why, Pos: line.At(line.Args.Words[at].Off), harm: o.Harm})
		}
	}
}

// in finds the option among the arguments of a line.
func (o *Option) in(words []parser.Word) int {
	if o.find != nil {
		return o.find(words)
	}
	name, valued := strings.CutSuffix(o.Name, "=")
	return slices.IndexFunc(words, func(w parser.Word) bool {
		got, _, value := strings.Cut(w.Text, "=")
		return value == valued && strings.EqualFold(got, name)
	})
}

func (b *builder) noteInert(in Inert) {
	if !b.named[in.Key()] {
		b.named[in.Key()] = true
		b.report.Inert = append(b.report.Inert, in)
	}
}

// finishInert leaves out what asks for just what happens, and decides, now that the
// whole file is read, which of the rest do harm.
func (b *builder) finishInert() {
	kept := b.report.Inert[:0]
	for _, in := range b.report.Inert {
		if in.Option == "" && b.cfg.switchedOff(in.Directive.Name) {
			continue
		}
		if h := in.harm; h != nil && (h.unless == nil || !h.unless(b.cfg)) && !b.cfg.accepts(in.Key()) {
			in.Harm = h.Text
		}
		kept = append(kept, in)
	}
	b.report.Inert = kept
}

func (c *Config) accepts(key string) bool { return slices.Contains(c.AcceptWithoutEffect, key) }

// switchedOff reports whether a directive without effect asks for just that.
func (c *Config) switchedOff(name string) bool {
	switch name {
	case "icp_port":
		return c.ICPPort == 0
	case "htcp_port":
		return c.HTCPPort == 0
	case "snmp_port":
		return c.SNMPPort == 0
	case "cache_store_log":
		return c.CacheStoreLog == "none"
	case "cache_dir":
		return len(c.CacheDirs) == 1 && c.CacheDirs[0].Type == "null"
	}
	return false
}

// acceptWithoutEffect reads names of directives and options; those that do no harm
// (any more) are told and change nothing.
func acceptWithoutEffect(field func(*Config) *[]string) kind {
	return lines("directive or directive:option …", field, func(r *reader, add func(string)) error {
		for w := range each(r.word) {
			name, option, _ := strings.Cut(w, ":")
			d := Lookup(name)
			if d == nil {
				return r.unknownWord("directive", w, harmKeys())
			}
			if !d.harms(option) {
				r.warn("accept-harmless", w+" needs no such leave in this release", "", nearest(w, harmKeys()))
			}
			add(harmKey(d, option))
		}
		return nil
	}, func(_ *dumper, w string) []string { return []string{w} })
}

// harms reports whether the directive, or an option of it, ends a start.
func (d *Directive) harms(option string) bool {
	if option == "" {
		return d.Effect == Pending && d.Harm != nil
	}
	for i := range d.Options {
		if o := &d.Options[i]; o.Harm != nil && harmKey(d, o.Name) == harmKey(d, option) {
			return true
		}
	}
	return false
}

// harmKeys are the directives and options that end a start.
func harmKeys() (list []string) {
	for i := range table {
		d := &table[i]
		if d.harms("") {
			list = append(list, d.Name)
		}
		for _, o := range d.Options {
			if o.Harm != nil {
				list = append(list, harmKey(d, o.Name))
			}
		}
	}
	return list
}
