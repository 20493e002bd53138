package icons

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// maxIcon bounds an icon file in bytes; a larger one is not loaded.
const maxIcon = 1 << 20

// MaxAge is how long, in seconds, a client may keep an icon.
const MaxAge = 86400

// Icon is one icon, in memory.
type Icon struct {
	Name        string
	ContentType string
	Body        []byte
	// Modified is when the file was, or when the program started.
	Modified time.Time
}

// Set is the MIME table and the icons it names. It is immutable.
type Set struct {
	Table *Table
	icons map[string]*Icon
}

// Load reads mime_table and the icons from icon_directory. What is missing is
// taken from the program; problems are lines for cache.log. Started is the time
// drawn icons claim to be from.
func Load(cfg *conf.ErrorPageSettings, started time.Time) (*Set, []string) {
	s := &Set{icons: map[string]*Icon{}}
	var problems []string
	if s.Table, problems = loadTable(cfg.MimeTable); s.Table == nil {
		var own []string
		s.Table, own, _ = Read(strings.NewReader(builtinTable))
		problems = append(problems, own...)
	}
	for i := range s.Table.entries {
		name := s.Table.entries[i].Icon
		if s.icons[name] != nil || name == "" || strings.ContainsRune(name, '/') {
			continue
		}
		icon, err := s.read(cfg.IconDirectory, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Sprintf("icon %s: %v", name, err))
		}
		if icon == nil {
			icon = &Icon{Name: name, ContentType: "image/gif", Body: draw(name), Modified: started}
		}
		s.icons[name] = icon
	}
	return s, problems
}

// loadTable reads the operator's table; nil when there is none.
func loadTable(path string) (*Table, []string) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || path == "" {
		return nil, nil
	}
	if err != nil {
		return nil, []string{fmt.Sprintf("mime_table: %v", err)}
	}
	defer f.Close()
	t, problems, err := Read(f)
	if err != nil {
		return nil, append(problems, fmt.Sprintf("mime_table %s: %v", path, err))
	}
	return t, problems
}

// read reads an icon file.
func (s *Set) read(dir, name string) (*Icon, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxIcon {
		return nil, fmt.Errorf("no regular file of at most %d bytes", maxIcon)
	}
	body, err := io.ReadAll(io.LimitReader(f, maxIcon))
	if err != nil {
		return nil, err
	}
	contentType := s.Table.ContentType(name)
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	return &Icon{Name: name, ContentType: contentType, Body: body, Modified: st.ModTime()}, nil
}

// Icon is the icon of that name, nil when the table names none like it.
func (s *Set) Icon(name string) *Icon { return s.icons[name] }

// Paths of objects a proxy makes itself.
const (
	// InternalPrefix begins the paths of all of them.
	InternalPrefix = "/squid-internal-"
	// StaticPrefix begins those that global_internal_static takes over for
	// every host.
	StaticPrefix = "/squid-internal-static"
	iconPrefix   = StaticPrefix + "/icons/"
)

// IsInternal reports whether a URL path names an object a proxy makes itself.
func IsInternal[T ~string | ~[]byte](path T) bool { return hasPrefix(path, InternalPrefix) }

// IsStatic reports whether it is one that is the same on every proxy.
func IsStatic[T ~string | ~[]byte](path T) bool { return hasPrefix(path, StaticPrefix) }

// StaticName is the name of the icon a path asks for.
func StaticName[T ~string | ~[]byte](path T) (name string, ok bool) {
	if !hasPrefix(path, iconPrefix) {
		return "", false
	}
	return string(path[len(iconPrefix):]), true
}

func hasPrefix[T ~string | ~[]byte](path T, prefix string) bool {
	return len(path) >= len(prefix) && string(path[:len(prefix)]) == prefix
}
