package errpage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
)

// maxTemplate bounds a template file in bytes.
const maxTemplate = 1 << 20

// Env is what pages say about this proxy.
type Env struct {
	// Product is the program with its version ("squid/2.6.X"), Server the value
	// of the Server field, which may lack the version.
	Product, Server string
	// Hostname is the proxy's visible name, Administrator is cache_mgr.
	Hostname, Administrator string
	// Excuse is told of pages of deny_info that are not there, in whose place
	// ERR_ACCESS_DENIED stands. Without it they are Load's error.
	Excuse func(error)
}

// Pages are all pages of one configuration. They are immutable.
type Pages struct {
	cfg       *conf.ErrorPageSettings
	env       Env
	pages     map[Name]*Page
	signature template
}

// Page is one page.
type Page struct {
	// Name is what X-Squid-Error says; for a redirection it is the URL.
	Name Name

	set      *Pages
	template template
	redirect bool
}

// builtInDirectory is where templates are looked for when squid.conf does not say.
var builtInDirectory = func() string { return conf.DefaultPaths().ErrorDir }

// Load reads the templates. A page of 2.6 that error_directory does not have is
// taken from the program; a page that only deny_info names must be there.
func Load(cfg *conf.ErrorPageSettings, env Env) (*Pages, error) {
	s := &Pages{cfg: cfg, env: env, pages: map[Name]*Page{}, signature: cutCodes(signatureText)}
	unasked := cfg.ErrorDirectory == builtInDirectory()
	for i := range builtins {
		b := &builtins[i]
		text, err := s.read(b.name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && unasked && ofLaterRelease(text) {
			text, err = b.html(), nil
		}
		if err != nil {
			return nil, err
		}
		s.pages[b.name] = &Page{Name: b.name, set: s, template: cut(text)}
	}
	s.pages[Reset] = &Page{Name: Reset, set: s}
	var problems []error
	for _, d := range cfg.DenyInfo {
		problem := s.loadOwn(Name(d.Page))
		if problem != nil && env.Excuse != nil {
			env.Excuse(problem)
			s.pages[Name(d.Page)].template = s.pages[AccessDenied].template
			continue
		}
		problems = append(problems, problem)
	}
	return s, errors.Join(problems...)
}

// loadOwn loads a page that deny_info names.
func (s *Pages) loadOwn(name Name) error {
	if s.pages[name] != nil {
		return nil
	}
	p := &Page{Name: name, set: s, redirect: strings.Contains(string(name), ":")}
	s.pages[name] = p
	if p.redirect {
		return nil
	}
	text, err := s.read(name)
	if err != nil {
		return fmt.Errorf("deny_info: failed to find or read error text file %q: %w", name, err)
	}
	p.template = cut(text)
	return nil
}

// read reads a template from error_directory.
func (s *Pages) read(name Name) (string, error) {
	if s.cfg.ErrorDirectory == "" {
		return "", fs.ErrNotExist
	}
	f, err := os.Open(filepath.Join(s.cfg.ErrorDirectory, string(name)))
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTemplate))
	return string(text), err
}

// ofLaterRelease tells templates of Squid 3 and later, which another package may
// have put where ours are looked for unasked: they show a style sheet (%l) and
// run scripts over what the client sent, as no page of 2.6 does.
func ofLaterRelease(text string) bool { return strings.Contains(text, "%l") }

// Page finds a page by name; AccessDenied for a name that is unknown.
func (s *Pages) Page(name Name) *Page {
	if p := s.pages[name]; p != nil {
		return p
	}
	return s.pages[AccessDenied]
}

// DenyInfo finds the page deny_info names for an ACL, the one that ended a
// check. Where a redirection is not possible (a challenge), redirect is false
// and lines with a URL are passed over.
func (s *Pages) DenyInfo(acl string, redirect bool) (Name, bool) {
	for i := range s.cfg.DenyInfo {
		d := &s.cfg.DenyInfo[i]
		if !redirect && strings.Contains(d.Page, ":") {
			continue
		}
		for _, name := range d.ACLs {
			if name == acl {
				return Name(d.Page), true
			}
		}
	}
	return "", false
}
