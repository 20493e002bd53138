package conf

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/cuttle-proxy/cuttle/parser"
)

// Version is the release messages name; make build VERSION= sets it. It keeps 2.6
// in front: scripts compare "2.6" and the word after "Version".
var Version = "2.6.CUTTLE1"

// MaxFileSize is the largest configuration file that is read.
const MaxFileSize = 256 << 20

// Options say how a file is to be read.
type Options struct {
	// Paths are the built-in paths of the defaults; the zero value means DefaultPaths.
	Paths Paths
	// World is the machine; nil means Offline, which asks no name server.
	World World
	// Lint asks for the warnings about files that parse and will not work;
	// they cost time on large files.
	Lint bool
	// Skim is for who wants to know paths, ports and which families src lists name: of
	// each list file no more is taken than its first values, and those that speak of
	// IPv6 or of all addresses. What 2.6 says of the others is not in the report.
	Skim bool
}

// Load reads the file and everything it names. The Config is nil exactly when
// a fatal error ended the reading (report.Exit 1 or 134 with a FATAL line): a file whose
// only fault is unknown directives has one, because the start and a reconfigure go on
// with it while -k parse ends with their count. Load opens files and resolves
// names as 2.6 does while parsing; it opens no socket itself and keeps no file open.
func Load(path string, opts Options) (*Config, *Report) {
	b := newBuilder(opts)
	b.base = filepath.Base(path)
	text, err := readAll(b.world, path)
	if err != nil {
		b.diagnose(Diagnostic{Severity: Error, Pos: parser.Pos{File: path}, Check: "open", Summary: err.Error()})
		if !errors.Is(err, errReading) {
			b.fatal(134, "Unable to open configuration file: %s: %s", path, ErrorText(err))
		} else {
			b.fatal(1, "%v", err)
		}
		return nil, b.report
	}
	return b.build(path, text)
}

// LoadText reads a configuration that is in memory; path names it in messages.
func LoadText(path string, text []byte, opts Options) (*Config, *Report) {
	b := newBuilder(opts)
	b.base = filepath.Base(path)
	return b.build(path, text)
}

// Default is the configuration of an empty file, without the lists that need acl all.
func Default() *Config {
	b := newBuilder(Options{})
	b.defaults()
	return b.cfg
}

func (b *builder) build(path string, text []byte) (*Config, *Report) {
	f, err := parser.Parse(path, text)
	if err != nil {
		b.fatal(1, "%v", err)
		return nil, b.report
	}
	return b.buildTree(path, f)
}

// buildTree turns a syntax tree into a Config.
func (b *builder) buildTree(path string, f *parser.File) (*Config, *Report) {
	b.file = f
	b.cfg.Path = path
	b.reading = []string{filepath.Clean(path)}
	b.defaults()
	b.flaws(f)
	b.lines(f)
	b.defaultsIfNone()
	b.finish()
	b.finishInert()
	b.aclStates = nil
	for _, a := range b.cfg.ACLs {
		a.compact()
	}
	if b.list != nil {
		b.list.close()
	}
	if b.opts.Lint {
		b.lint()
	}
	b.report.sort()
	if !b.stopped {
		b.report.Exit = exitCount(b.unknown)
	}
	if b.stopped {
		return nil, b.report
	}
	return b.cfg, b.report
}

// exitCount is the exit status of a run with n unknown directives: the count, as
// far as a status holds it, and never 0 (fact gram_unknown_256).
func exitCount(n int) int {
	if n > 0 && n%256 == 0 {
		return 255
	}
	return n % 256
}

// errReading marks errors after the file was opened.
var errReading = errors.New("cannot be read")

func readAll(w World, path string) ([]byte, error) {
	in, err := w.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s %w: %v", path, errReading, err)
	}
	if len(text) > MaxFileSize {
		return nil, fmt.Errorf("%s %w: it is larger than %d MB", path, errReading, MaxFileSize>>20)
	}
	return text, nil
}

// sort puts diagnostics into the order of the main file; those of a file it names
// stand where it names it.
func (r *Report) sort() {
	for _, list := range [][]Diagnostic{r.Diagnostics, r.Extensions} {
		slices.SortStableFunc(list, func(a, b Diagnostic) int {
			return cmp.Or(slices.Compare(a.rank[:], b.rank[:]), cmp.Compare(a.Pos.File, b.Pos.File),
				cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
		})
	}
}
