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
	// given tells whether the list has entries, for the defaults that are added
	// only to empty lists.
	given func(c *Config) bool
	// access is the list of a directive that allows and denies.
	access func(c *Config) *AccessList
}

func onOff(field func(*Config) *bool) kind {
	return kind{name: "on|off", single: true,
		set: func(r *reader) error {
			v, err := r.onOff()
			if err == nil {
				*field(r.b.cfg) = v
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) {
			d.line(name, onOffWord(*field(c)))
		}}
}

func onOffWord(v bool) string {
	if v {
		return "on"
	}
	return "off"
}

func tristate(field func(*Config) *Tristate) kind {
	return kind{name: "on|off|warn", single: true,
		set: func(r *reader) error {
			mark := *r
			w, ok := r.word()
			if ok && strings.EqualFold(w, "warn") {
				*field(r.b.cfg) = Warn
				return nil
			}
			*r = mark
			v, err := r.onOff()
			if err != nil {
				return err
			}
			*field(r.b.cfg) = Off
			if v {
				*field(r.b.cfg) = On
			}
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			d.line(name, map[Tristate]string{On: "on", Off: "off", Warn: "warn"}[*field(c)])
		}}
}

func number(field func(*Config) *int) kind {
	return kind{name: "number", single: true,
		set: func(r *reader) error {
			v, err := r.integer()
			if err == nil {
				*field(r.b.cfg) = v
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) { d.line(name, strconv.Itoa(*field(c))) }}
}

// octal is a number that is written back in octal (umask).
func octal(field func(*Config) *int) kind {
	k := number(field)
	k.dump = func(c *Config, d *dumper, name string) {
		v := *field(c)
		if v < 0 {
			d.line(name, strconv.Itoa(v))
			return
		}
		d.line(name, "0"+strconv.FormatInt(int64(v), 8))
	}
	return k
}

// milliseconds is a number of milliseconds.
func milliseconds(field func(*Config) *time.Duration) kind {
	return kind{name: "milliseconds", single: true,
		set: func(r *reader) error {
			v, err := r.integer()
			if err == nil {
				*field(r.b.cfg) = time.Duration(v) * time.Millisecond
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) {
			d.line(name, strconv.FormatInt(int64(*field(c)/time.Millisecond), 10))
		}}
}

func port(field func(*Config) *uint16) kind {
	return kind{name: "number 0-65535", single: true,
		set: func(r *reader) error {
			v, err := r.ushort()
			if err == nil {
				*field(r.b.cfg) = v
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) { d.line(name, strconv.Itoa(int(*field(c)))) }}
}

func duration(field func(*Config) *time.Duration) kind {
	return kind{name: "time", single: true,
		set: func(r *reader) error {
			v, err := r.seconds()
			if err == nil {
				*field(r.b.cfg) = v
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) { d.line(name, secondsWords(*field(c))) }}
}

func secondsWords(t time.Duration) string {
	return strconv.FormatInt(int64(t/time.Second), 10) + " seconds"
}

func sizeIn(base int64, baseName string, field func(*Config) *int64) kind {
	return kind{name: "size", single: true,
		set: func(r *reader) error {
			v, err := r.size(base, baseName)
			if err == nil {
				*field(r.b.cfg) = v
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) {
			v := *field(c)
			if v == NoLimit {
				d.line(name, "none")
				return
			}
			d.line(name, strconv.FormatInt(v/base, 10), baseName)
		}}
}

// size is a size kept in bytes.
func size(field func(*Config) *int64) kind { return sizeIn(1, "bytes", field) }

// sizeKB is a size that must be a whole number of kilobytes.
func sizeKB(field func(*Config) *int64) kind { return sizeIn(1024, "KB", field) }

// word is one word, kept as it is.
func word(field func(*Config) *string) kind {
	return kind{name: "word", single: true,
		set: func(r *reader) error {
			w, err := r.need("a value")
			if err == nil {
				*field(r.b.cfg) = w
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) {
			if v := *field(c); v != "" {
				d.line(name, v)
			}
		},
		given: func(c *Config) bool { return *field(c) != "" }}
}

// path is a word that names a file or folder.
func path(field func(*Config) *string) kind {
	k := word(field)
	k.name = "path"
	return k
}

// text is the rest of the line.
func text(field func(*Config) *string) kind {
	return kind{name: "text to the end of the line", single: true,
		set: func(r *reader) error {
			s, err := r.eol()
			if err == nil {
				*field(r.b.cfg) = s
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) {
			if v := *field(c); v != "" {
				d.line(name, v)
			}
		}}
}

// words is a list that grows with every line; quotes are honoured.
func words(field func(*Config) *[]string) kind {
	return kind{name: "words", single: false,
		set: func(r *reader) error {
			p := field(r.b.cfg)
			*p = append(*p, r.wordList()...)
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for _, w := range *field(c) {
				d.line(name, quoteWord(w))
			}
		},
		given: func(c *Config) bool { return len(*field(c)) > 0 }}
}

// program is a command line; a second one is refused (fact gram_duplicate_redirect_and_rewrite).
func program(field func(*Config) *[]string) kind {
	return kind{name: "command line",
		set: func(r *reader) error {
			p := field(r.b.cfg)
			if *p != nil {
				r.wordOff, r.wordLen = 0, len(r.text)
				return r.bungled("this program is set a second time", "One line sets it for good; remove the other.")
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

// address is one address or host name.
func address(field func(*Config) *netip.Addr) kind {
	return kind{name: "address", single: true,
		set: func(r *reader) error {
			a, err := r.address()
			if err == nil {
				*field(r.b.cfg) = a
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) { d.line(name, field(c).String()) }}
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
