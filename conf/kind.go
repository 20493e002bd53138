package conf

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// kind is the grammar of a directive's value: how it is read and how it is written back.
type kind struct {
	// name is the grammar's name in the documentation ("on|off", "time", …).
	name string
	// single: a second line replaces the value of the first.
	single bool
	// set reads the arguments of one line.
	set func(r *reader) error
	// dump writes the lines that give the value back.
	dump func(c *Config, d *dumper, name string)
	// given reports whether the list has entries, for the defaults that are added
	// only to empty lists.
	given func(c *Config) bool
	// access is the list of a directive that allows and denies.
	access func(c *Config) *AccessList
}

// single is the grammar of a directive with one value: read reads it from a line, a
// second line replaces it, and write gives it back, "" for a value that is not to be
// written.
func single[T any](name string, field func(*Config) *T, read func(*reader) (T, error), write func(T) string) kind {
	return kind{name: name, single: true,
		set: func(r *reader) error {
			v, err := read(r)
			if err == nil {
				*field(r.b.cfg) = v
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) {
			if v := write(*field(c)); v != "" {
				d.line(name, v)
			}
		}}
}

// lines is the grammar of a directive whose lines add to a list. read hands what a
// line says to add, nothing when the line is told and skipped; words are the
// arguments that give one entry back.
func lines[T any](name string, field func(*Config) *[]T, read func(r *reader, add func(T)) error, words func(*dumper, T) []string) kind {
	return kind{name: name,
		set: func(r *reader) error {
			list := field(r.b.cfg)
			return read(r, func(v T) { *list = append(*list, v) })
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, v := range *field(c) {
				d.line(name, words(d, v)...)
			}
		},
		given: func(c *Config) bool { return len(*field(c)) > 0 }}
}

func onOff(field func(*Config) *bool) kind {
	return single("on|off", field, (*reader).onOff, onOffWord)
}

func onOffWord(v bool) string {
	if v {
		return "on"
	}
	return "off"
}

func tristate(field func(*Config) *Tristate) kind {
	return single("on|off|warn", field, (*reader).tristate, func(v Tristate) string {
		return map[Tristate]string{On: "on", Off: "off", Warn: "warn"}[v]
	})
}

// autoOnOff is a switch that is left to the program with auto, kept as Warn.
func autoOnOff(field func(*Config) *Tristate) kind {
	return single("auto|on|off", field, func(r *reader) (Tristate, error) {
		switch w, _ := r.word(); strings.ToLower(w) {
		case "auto":
			return Warn, nil
		case "on":
			return On, nil
		case "off":
			return Off, nil
		default:
			return Off, r.unknownWord("value", w, []string{"auto", "on", "off"})
		}
	}, func(v Tristate) string { return map[Tristate]string{On: "on", Off: "off", Warn: "auto"}[v] })
}

func number(field func(*Config) *int) kind {
	return single("number", field, (*reader).integer, strconv.Itoa)
}

// octal is a number that is written back in octal (umask).
func octal(field func(*Config) *int) kind {
	return single("number", field, (*reader).integer, func(v int) string {
		if v < 0 {
			return strconv.Itoa(v)
		}
		return "0" + strconv.FormatInt(int64(v), 8)
	})
}

// milliseconds is a number of milliseconds.
func milliseconds(field func(*Config) *time.Duration) kind {
	return single("milliseconds", field, func(r *reader) (time.Duration, error) {
		v, err := r.integer()
		return time.Duration(v) * time.Millisecond, err
	}, func(t time.Duration) string { return strconv.FormatInt(t.Milliseconds(), 10) })
}

func port(field func(*Config) *uint16) kind {
	return single("number 0-65535", field, (*reader).ushort, func(v uint16) string { return strconv.Itoa(int(v)) })
}

func duration(field func(*Config) *time.Duration) kind {
	return single("time", field, (*reader).seconds, func(t time.Duration) string {
		return strconv.FormatInt(int64(t/time.Second), 10) + " seconds"
	})
}

func sizeIn(base int64, baseName string, field func(*Config) *int64) kind {
	return single("size", field, func(r *reader) (int64, error) { return r.size(base, baseName) }, func(v int64) string {
		if v == NoLimit {
			return "none"
		}
		return strconv.FormatInt(v/base, 10) + " " + baseName
	})
}

// size is a size kept in bytes.
func size(field func(*Config) *int64) kind { return sizeIn(1, "bytes", field) }

// sizeKB is a size that must be a whole number of kilobytes.
func sizeKB(field func(*Config) *int64) kind { return sizeIn(1024, "KB", field) }

// word is one word, kept as it is.
func word(field func(*Config) *string) kind {
	k := single("word", field, func(r *reader) (string, error) { return r.need("a value") }, asItIs)
	k.given = func(c *Config) bool { return *field(c) != "" }
	return k
}

func asItIs(s string) string { return s }

// path is a word that names a file or folder.
func path(field func(*Config) *string) kind {
	k := word(field)
	k.name = "path"
	return k
}

// text is the rest of the line.
func text(field func(*Config) *string) kind {
	return single("text to the end of the line", field, (*reader).eol, asItIs)
}

// address is one address or host name.
func address(field func(*Config) *netip.Addr) kind {
	return single("address", field, (*reader).address, netip.Addr.String)
}

// words is a list that grows with every line; quotes are honoured.
func words(field func(*Config) *[]string) kind {
	return lines("words", field, func(r *reader, add func(string)) error {
		for _, w := range r.wordList() {
			add(w)
		}
		return nil
	}, func(_ *dumper, w string) []string { return []string{quoteWord(w)} })
}

// program is a command line; a second one is refused (fact gram_duplicate_redirect_and_rewrite).
func program(field func(*Config) *[]string) kind {
	return kind{name: "command line",
		set: func(r *reader) error {
			p := field(r.b.cfg)
			if *p != nil {
				return r.bungledAt(r.all(), "this program is set a second time", "One line sets it for good; remove the other.")
			}
			*p = r.wordList()
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			if p := *field(c); p != nil {
				d.line(name, quoteWords(p))
			}
		}}
}

// quoteWord writes a word so that a word list reads it back.
func quoteWord(w string) string {
	if w != "" && !strings.ContainsAny(w, " \t\n\v\f\r\"\\") && w[0] != '#' {
		return w
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(w); i++ {
		switch c := w[i]; c {
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteWords(list []string) string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = quoteWord(w)
	}
	return strings.Join(out, " ")
}
