package conf

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cuttle-proxy/cuttle/parser"
)

// builder is the state of one Load.
type builder struct {
	cfg    *Config
	opts   Options
	world  World
	report *Report

	file *parser.File
	// at is the line being read, zero before the first and behind the last.
	at parser.Pos
	// base is the file's name as 2.6 prints it, without folders.
	base string
	// number counts on from the last line for defaults.
	number int
	// stopped: 2.6 has ended by now. We read on to find the other problems, but
	// print no more of its lines.
	stopped bool
	mute    bool
	// untrue: what is said now is 2.6's word and not so here.
	untrue  bool
	unknown int
	depth   int // of include
	// including are the files read by include, reading those that are open now, the
	// main file first.
	including, reading []string
	// included are their trees by name, and where each was first named.
	included map[string]inclusion
	// noDefault: a default line was refused; the others will be for the same reason.
	noDefault bool

	acls      map[string]*ACL // by name in lower case
	aclStates map[*ACL]*aclState
	quoted    map[*ACL]string // what 2.6 remembers of an ACL's first line
	used      map[*ACL]bool
	// refusedACLs are the places of acl lines that were refused, by name in lower case.
	refusedACLs map[string]parser.Pos
	// gaps are the directives of which a line was refused, or written with a wrong name:
	// what they come to is not known. strays are the words of lines nobody understands.
	gaps   map[string]bool
	strays map[string]bool
	// allACLs are the places of the acl lines of the file, made when one is missed.
	allACLs   map[string]parser.Pos
	aclName   string // of the line being read
	list      *listFile
	listFiles []string
	firstOnly bool // Skim takes the first values of its list files, and no others
	peers     map[string]*Peer
	resolved  map[string][]netip.Addr
	// first is the place of each directive's first line.
	first map[*Directive]parser.Pos
	// named are the keys of what the report calls inert.
	named map[string]bool
}

func newBuilder(opts Options) *builder {
	if opts.Paths == (Paths{}) {
		opts.Paths = DefaultPaths()
	}
	if opts.World == nil {
		opts.World = Offline{}
	}
	return &builder{cfg: &Config{}, opts: opts, world: opts.World, report: &Report{},
		acls: map[string]*ACL{}, aclStates: map[*ACL]*aclState{}, quoted: map[*ACL]string{}, used: map[*ACL]bool{}, refusedACLs: map[string]parser.Pos{},
		peers: map[string]*Peer{}, resolved: map[string][]netip.Addr{}, first: map[*Directive]parser.Pos{}, named: map[string]bool{}, gaps: map[string]bool{}, strays: map[string]bool{}}
}

// inclusion is a file read by include.
type inclusion struct {
	file   *parser.File
	at     parser.Pos
	number int
}

// say adds a time-stamped line of 2.6's output.
func (b *builder) say(format string, args ...any) {
	if !b.stopped {
		b.report.Lines = append(b.report.Lines, LegacyLine{Stamped: true, Untrue: b.untrue, Text: fmt.Sprintf(format, args...)})
	}
}

// print adds a line of 2.6's output without time stamp.
func (b *builder) print(format string, args ...any) {
	if !b.stopped {
		b.report.Lines = append(b.report.Lines, LegacyLine{Text: fmt.Sprintf(format, args...)})
	}
}

// maxDiagnostics bounds what is kept of a file that is wrong in every line.
const maxDiagnostics = 10_000

func (b *builder) diagnose(d Diagnostic) {
	if b.mute || len(b.report.Diagnostics) >= maxDiagnostics {
		return
	}
	b.report.Diagnostics = append(b.report.Diagnostics, b.withSource(d))
}

func (b *builder) extend(d Diagnostic) {
	if b.mute || len(b.report.Extensions) >= maxDiagnostics {
		return
	}
	b.report.Extensions = append(b.report.Extensions, b.withSource(d))
}

func (b *builder) withSource(d Diagnostic) Diagnostic {
	at := d.Pos
	if d.Pos.File != b.cfg.Path && !b.at.IsZero() {
		at = b.at
	}
	d.rank = [3]int{at.Line, at.Col}
	if in, ok := b.included[d.Pos.File]; ok {
		d.rank = [3]int{in.at.Line, in.at.Col, in.number}
		if d.Source == "" {
			d.Source = in.file.Source(d.Pos.Line)
		}
	} else if b.file != nil && d.Pos.File == b.file.Name && d.Source == "" {
		d.Source = b.file.Source(d.Pos.Line)
	}
	return d
}

// lacks reports whether an ACL type belongs to a feature this build is without.
func (b *builder) lacks(t ACLType) bool {
	return (t == ACLUserCert || t == ACLCACert) && !b.hasSSL()
}

// hasSSL reports whether the ssl words are known. They are: the recordings that
// differ are marked, and configurations with them come from builds that had SSL.
func (b *builder) hasSSL() bool { return true }

// defaults gives every field its built-in value by reading the table's texts.
func (b *builder) defaults() {
	for i := range table {
		d := &table[i]
		if d.Default == "" {
			continue
		}
		r := &reader{b: b, dir: d, text: b.expand(d.Default)}
		if err := d.kind.set(r); err != nil {
			panic(fmt.Sprintf("default of %s: %v", d.Name, err)) // a mistake in the table; a test meets it first
		}
	}
}

// expand puts the build's paths into a default.
func (b *builder) expand(s string) string { return expandPaths(s, b.opts.Paths) }

func expandPaths(s string, p Paths) string {
	if strings.IndexByte(s, '@') < 0 {
		return s
	}
	return strings.NewReplacer("@mime@", p.MimeTable, "@cachelog@", p.CacheLog, "@storelog@", p.StoreLog, "@pid@", p.PidFile,
		"@swapdir@", p.SwapDir, "@icons@", p.IconDir, "@errors@", p.ErrorDir, "@hosts@", p.HostsFile, "@libexec@", p.Libexec,
		"@user@", EffectiveUser).Replace(s)
}

// lines reads every line of a file.
func (b *builder) lines(f *parser.File) {
	for _, line := range f.Lines {
		b.oneLine(line)
	}
	b.number = f.Pieces
}

func (b *builder) oneLine(line *parser.Line) {
	if b.depth == 0 {
		b.at = line.NamePos()
		defer func() { b.at = parser.Pos{} }()
	}
	d := Lookup(line.Directive)
	if d == nil {
		b.unrecognized(line)
		return
	}
	b.report.Given = append(b.report.Given, Given{Directive: d, Pos: line.NamePos()})
	if d.Extension != "" {
		b.extend(Diagnostic{Severity: Note, Pos: line.NamePos(), Len: len(line.Directive), Check: "extension",
			Summary: "directive " + d.Name + " is an extension", Detail: "2.6 counts the line as unrecognized. " + d.Extension, Listed: d.Name})
	}
	if old, again := b.first[d]; again && d.kind.single {
		b.diagnose(Diagnostic{Severity: Warning, Pos: line.NamePos(), Len: len(line.Directive), Check: "duplicate",
			Summary: fmt.Sprintf("%s is set again; the value of line %d is lost", d.Name, old.Line)})
	} else if !again {
		b.first[d] = line.NamePos()
	}
	r := &reader{b: b, dir: d, line: line, text: line.Args.Text, number: line.Number(), quoted: line.LastPiece()}
	if len(r.text) > 0 {
		r.off = 1 // the blank behind the name goes with it
	}
	if err := d.kind.set(r); err != nil {
		b.refuse(r, err.(*refusal))
		return
	}
	b.inert(d, line)
}

// unrecognized counts a directive nobody knows (fact gram_unknown_three).
func (b *builder) unrecognized(line *parser.Line) {
	b.say("parseConfigFile: line %d unrecognized: '%s'", line.Number(), line.LastPiece())
	if !b.stopped {
		b.unknown++
	}
	d := Diagnostic{Severity: Error, Pos: line.NamePos(), Len: len(line.Directive), Check: "unknown-directive",
		Summary: fmt.Sprintf("unknown directive %q", line.Directive)}
	switch {
	case strings.HasPrefix(line.Directive, "#"):
		d.Detail = "A comment begins in column one; blanks in front of # make it a directive."
	case strings.HasPrefix(line.Directive, "\xef\xbb\xbf"):
		d.Detail = "The file begins with a byte order mark, which becomes part of the first word. Save it without."
	default:
		b.stray(line)
		if known := byName[line.Directive]; known != nil {
			d.Detail = b.ofOtherBuild(known, line)
		} else if d.Detail = obsolete[line.Directive]; d.Detail == "" {
			d.Suggestion = nearest(line.Directive, directiveNames())
			b.gaps[d.Suggestion] = true
		}
	}
	b.diagnose(d)
}

// ofOtherBuild takes the value of a directive that only some builds of 2.6 know, where it
// acts here, and says what became of the line.
func (b *builder) ofOtherBuild(d *Directive, line *parser.Line) string {
	if d.Effect != Acts {
		return "It belongs to a feature that is left out here: " + d.Build + "."
	}
	r := &reader{b: b, dir: d, line: line, text: line.Args.Text, number: line.Number(), quoted: line.LastPiece()}
	if err := d.kind.set(r); err != nil {
		return "2.6 knows it when built with a " + d.Build + "; the value is none it would take."
	}
	return "2.6 knows it when built with a " + d.Build + "; it acts here."
}

// stray notes the words of a line that is not understood: they may be names of ACLs.
func (b *builder) stray(line *parser.Line) {
	for _, w := range line.Args.Words {
		b.strays[lowerASCII(strings.TrimPrefix(w.Text, "!"))] = true
	}
}

// refuse ends the run as 2.6 does.
func (b *builder) refuse(r *reader, e *refusal) {
	d := Diagnostic{Severity: Error, Pos: r.at(e.at.off), Len: e.at.len, Check: "refused",
		Summary: r.dir.Name + ": " + strings.TrimSpace(e.summary), Detail: e.detail, Suggestion: e.suggestion}
	if e.summary == "" {
		d.Summary = r.dir.Name + ": " + strings.TrimSpace(e.abort)
	}
	if r.line == nil {
		if b.noDefault {
			return
		}
		b.noDefault = true
		d.Pos = parser.Pos{File: b.file.Name, Line: b.file.Pieces}
		d.Summary = fmt.Sprintf("the built-in default %q cannot be used: %s", r.quoted, e.summary)
		d.Detail = e.detail
	}
	if v := r.fromFile; v.file && r.line != nil && e.at == v.span {
		d = v.diagnostic(d)
		d.Detail = strings.TrimSpace(fmt.Sprintf("%s The file is named in %v.", d.Detail, r.namePos()))
	}
	b.diagnose(d)
	b.gaps[r.dir.Name] = true
	if b.list != nil {
		b.list.close()
		b.list = nil
	}
	if e.abort != "" {
		b.fatal(134, "%s", e.abort)
		return
	}
	b.fatal(1, "Bungled %s line %d: %s", b.base, r.number, r.quoted)
}

// fatal prints 2.6's last lines; nothing more of its output follows.
func (b *builder) fatal(exit int, format string, args ...any) {
	if b.stopped {
		return
	}
	// 2.6 makes the text in a buffer of 8192 bytes.
	text := fmt.Sprintf(format, args...)
	b.print("FATAL: %s", text[:min(len(text), 8191)])
	b.print("Squid Cache (Version %s): Terminated abnormally.", Version)
	b.stopped = true
	b.report.Exit = exit
}

// defaultsIfNone adds the default lines of lists the file left empty. 2.6 reads
// them as if they followed the file, which decides the line number it blames.
func (b *builder) defaultsIfNone() {
	for i := range table {
		d := &table[i]
		if d.IfNone == "" || d.kind.given(b.cfg) {
			continue
		}
		if _, tried := b.first[d]; tried && b.stopped {
			continue // a line was refused, which has been told
		}
		b.number++
		args := b.expand(d.IfNone)
		r := &reader{b: b, dir: d, text: args, number: b.number, quoted: d.Name + " " + args}
		if err := d.kind.set(r); err != nil {
			b.refuse(r, err.(*refusal))
		}
	}
}
