package main

import (
	"regexp"
	"sort"
	"strconv"
	"strings"
)

var (
	nativeLine = regexp.MustCompile(`^(\d{9,}\.\d{3}) +(-?\d+) (\S+) ([A-Z_]+/\d{3}) (\d+) (.*)$`)
	storeLine  = regexp.MustCompile(`^(\d{9,}\.\d{3}) ([A-Z_]+ +(?:-1|\d\d)) ([0-9A-F]{8}) ([0-9A-F]{32}) (.*)$`)
	loggedDate = regexp.MustCompile(`[A-Z][a-z]{2},(?: |%20)\d\d(?: |%20)[A-Z][a-z]{2}(?: |%20)20\d\d(?: |%20)\d\d:\d\d:\d\d(?: |%20)GMT`)
	clfDate    = regexp.MustCompile(`(\[?)\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}(\]?)`)
	epoch      = regexp.MustCompile(`1[789]\d{8}(\.\d{1,3})?`)
	product    = regexp.MustCompile(`squid/[\w.\-]+`)
)

// maskLogLine masks one line of a log: the native format field by field, any
// other by what looks like times and sizes.
func (p *player) maskLogLine(line string) map[string]any {
	if m := nativeLine.FindStringSubmatch(line); m != nil {
		size := m[5]
		if n, _ := strconv.Atoi(size); p.sizes[n] {
			size = "{RX}"
		} else if p.sc.MaskSize {
			size = "{N}"
		}
		rest := loggedDate.ReplaceAllString(m[6], "{HTTPDATE}")
		for _, sub := range p.sc.LogMask {
			rest = substitute(sub, rest)
		}
		ms, _ := strconv.Atoi(m[2])
		return map[string]any{"line": p.mask("{TS} {MS} " + m[3] + " " + m[4] + " " + size + " " + rest), "ms": float64(ms)}
	}
	if m := storeLine.FindStringSubmatch(line); m != nil {
		return map[string]any{"line": p.maskStoreLine(m)}
	}
	line = maskEpochs(line)
	line = clfDate.ReplaceAllString(line, "${1}{CLF}${2}")
	line = loggedDate.ReplaceAllString(line, "{HTTPDATE}")
	line = product.ReplaceAllString(line, "squid/{VERSION}")
	for _, sub := range p.sc.LogMask {
		line = substitute(sub, line)
	}
	return map[string]any{"line": p.mask(p.maskSizes(line))}
}

// maskStoreLine masks the parts of a line of cache_store_log: keys depend on ports or are
// used once, numbers of files on what was there before.
func (p *player) maskStoreLine(m []string) string {
	file, rest := m[3], m[5]
	if file != "FFFFFFFF" {
		file = "{FILE}"
	}
	rest = epoch.ReplaceAllStringFunc(rest, func(s string) string {
		at, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return s
		}
		return "{DATE:" + signed(at-p.vals.start.Unix()) + "}"
	})
	for _, sub := range p.sc.LogMask {
		rest = substitute(sub, rest)
	}
	return p.mask("{TS} " + m[2] + " " + file + " {KEY} " + rest)
}

// maskEpochs masks times in seconds, with or without a fraction, where no digit
// clings to them.
func maskEpochs(line string) string {
	var b strings.Builder
	for {
		m := epoch.FindStringSubmatchIndex(line)
		if m == nil {
			break
		}
		free := (m[0] == 0 || !digit(line[m[0]-1])) && (m[1] == len(line) || !digit(line[m[1]]))
		whole := m[0] + 10
		switch {
		case free && m[2] >= 0:
			b.WriteString(line[:m[0]] + "{TS}")
			line = line[m[1]:]
		case (m[0] == 0 || !digit(line[m[0]-1])) && (whole == len(line) || !digit(line[whole])):
			b.WriteString(line[:m[0]] + "{EPOCH}")
			line = line[whole:]
		default:
			b.WriteString(line[:m[0]+1])
			line = line[m[0]+1:]
		}
	}
	return b.String() + line
}

// maskSizes replaces the sizes of what clients sent and received.
func (p *player) maskSizes(line string) string {
	known := map[int]string{}
	for a := range p.sizes {
		known[a] = "{RX}"
	}
	for a := range p.sizes {
		for b := range p.sent {
			for _, sum := range []struct {
				n    int
				word string
			}{{a + b, "{RX+TX}"}, {a + b - 1, "{RX+TX-1}"}} {
				if _, taken := known[sum.n]; !taken {
					known[sum.n] = sum.word
				}
			}
		}
	}
	for b := range p.sent {
		if _, taken := known[b]; !taken {
			known[b] = "{TX}"
		}
	}
	sizes := make([]int, 0, len(known))
	for n := range known {
		if n >= 60 {
			sizes = append(sizes, n)
		}
	}
	sort.Sort(sort.Reverse(sort.IntSlice(sizes)))
	for _, n := range sizes {
		line = replaceNumber(line, strconv.Itoa(n), known[n], digitOrDot)
	}
	return line
}

var backReference = regexp.MustCompile(`\\(\d)`)

// substitute applies one scripted substitution, whose replacement names groups
// as \1.
func substitute(sub [2]string, s string) string {
	with := backReference.ReplaceAllString(strings.ReplaceAll(toBytes(sub[1]), "$", "$$"), "$${$1}")
	return regexp.MustCompile(toBytes(sub[0])).ReplaceAllString(s, with)
}
