package conf

import (
	"fmt"
	"strconv"
	"strings"
)

// RefreshCheck is the external_refresh_check line (2.7): a helper that is asked
// whether a stale object may be called fresh for some time more.
type RefreshCheck struct {
	// Children is how many processes run; Concurrency how many questions one of
	// them takes at a time, 0 for one without a channel number.
	Children, Concurrency int
	// Formats are the % codes of a question, as written.
	Formats []string
	// Program is the command line; nil when there is no check.
	Program []string
}

// refreshCheck is the grammar [children=N] [concurrency=N] %CODE… program [word…].
func refreshCheck(field func(*Config) *RefreshCheck) kind {
	return kind{name: "[option…] %code… command line",
		set: func(r *reader) error {
			c := RefreshCheck{Children: 5}
			for {
				mark := *r
				w, err := r.need("the program")
				if err != nil {
					return err
				}
				name, value, _ := strings.Cut(w, "=")
				switch {
				case name == "children" && value != "":
					c.Children, err = r.decimal(value, r.here())
				case name == "concurrency" && value != "":
					c.Concurrency, err = r.decimal(value, r.here())
				case w[0] == '%':
					c.Formats = append(c.Formats, w)
				default:
					*r = mark
					if c.Program = r.wordList(); len(c.Program) == 0 {
						return r.bungled("the program is missing", "")
					}
					*field(r.b.cfg) = c
					return nil
				}
				if err != nil {
					return err
				}
			}
		},
		dump: func(c *Config, d *dumper, name string) {
			v := field(c)
			if v.Program == nil {
				return
			}
			words := []string{"children=" + strconv.Itoa(v.Children), fmt.Sprintf("concurrency=%d", v.Concurrency)}
			program := quoteWord(v.Program[0])
			if program[0] != '"' { // else a program called %x would be a code
				program = `"` + program + `"`
			}
			d.line(name, append(append(words, v.Formats...), program, quoteWords(v.Program[1:]))...)
		}}
}
