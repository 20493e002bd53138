package main

import (
	"fmt"
	"strconv"
	"strings"
)

// flags is a command line understood. The zero value means "start as a daemon
// with the built-in configuration path".
type flags struct {
	confFile    string // -f
	order       string // -k: the word as written, "" for none
	debugStderr int    // -d: also write lines up to this level to standard error; -1 when not given
	icpPort     int    // -u: overrides icp_port; -1 when not given
	syslog      string // -s, -l: syslog facility, "" for none
	createSwap  bool   // -z
	noCatch     bool   // -C
	noDNSTests  bool   // -D
	foreRebuild bool   // -F
	noDaemon    bool   // -N
	noReuseAddr bool   // -R
	checkSwap   bool   // -S
	fullDebug   bool   // -X
	icpOnlyHits bool   // -Y
	help        bool   // -h
	version     bool   // -v where it asks for the version
	verbose     bool   // -v beside an order that has more to say
	foreground  bool   // --foreground: supervise, but do not leave the terminal

	// long holds our own --words, without the dashes, for the order to read.
	long []string
}

// longWords are the --words we understand. 2.6 has none; --foreground, --help
// and --version are those of its successors.
var longWords = map[string]bool{
	"foreground": true, "help": true, "version": true,
	"json": true, "dry-run": true, "iptables": true, "secrets": true,
}

// usageError is a command line that cannot be understood; usage follows it.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// syslogFacilities are the words of -l; -s means local4.
var syslogFacilities = []string{"authpriv", "daemon", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7", "user"}

// parseFlags reads a command line by getopt's rules: letters may be clustered,
// a value is the rest of its word or the next word, words that are no options
// are passed over, "--" ends the options. -h and -v act where they stand, as
// in 2.6: what comes after them is not looked at.
func parseFlags(program string, args []string) (flags, error) {
	f := flags{debugStderr: -1, icpPort: -1}
	sawV := false
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			break
		}
		if long, ok := strings.CutPrefix(word, "--"); ok {
			if !longWords[long] {
				return f, usageError{fmt.Sprintf("%s: unrecognized option '%s'", program, word)}
			}
			f.setLong(long)
			continue
		}
		if len(word) < 2 || word[0] != '-' {
			continue
		}
		for j := 1; j < len(word); j++ {
			letter := word[j]
			if strings.IndexByte("dfklu", letter) >= 0 {
				value := word[j+1:]
				if value == "" {
					if i++; i >= len(args) {
						return f, usageError{fmt.Sprintf("%s: option requires an argument -- '%c'", program, letter)}
					}
					value = args[i]
				}
				if err := f.setValue(letter, value); err != nil {
					return f, err
				}
				break
			}
			switch {
			case letter == 'h':
				f.help = true
			case letter == 'v':
				sawV = true
			case !f.setSwitch(letter):
				return f, usageError{fmt.Sprintf("%s: invalid option -- '%c'", program, letter)}
			}
			if f.help {
				return f, nil
			}
		}
	}
	if sawV {
		f.verbose = speaksMore(f.order)
		f.version = !f.verbose
	}
	return f, nil
}

func (f *flags) setLong(word string) {
	switch word {
	case "help":
		f.help = true
	case "version":
		f.version = true
	case "foreground":
		f.foreground = true
	default:
		f.long = append(f.long, word)
	}
}

func (f *flags) setSwitch(letter byte) bool {
	set, ok := map[byte]*bool{
		'z': &f.createSwap, 'C': &f.noCatch, 'D': &f.noDNSTests, 'F': &f.foreRebuild, 'N': &f.noDaemon,
		'R': &f.noReuseAddr, 'S': &f.checkSwap, 'X': &f.fullDebug, 'Y': &f.icpOnlyHits,
	}[letter]
	if ok {
		*set = true
		return true
	}
	if letter == 's' {
		f.syslog = "local4"
		return true
	}
	return false
}

func (f *flags) setValue(letter byte, value string) error {
	switch letter {
	case 'd':
		f.debugStderr = leadingNumber(value)
	case 'u':
		f.icpPort = max(leadingNumber(value), 0)
	case 'f':
		f.confFile = value
	case 'l':
		for _, known := range syslogFacilities {
			if value == known {
				f.syslog = value
				return nil
			}
		}
		return plainError{fmt.Sprintf("unknown syslog facility '%s'", value)}
	case 'k':
		if _, ok := findOrder(value); !ok {
			return usageError{}
		}
		f.order = value
	}
	return nil
}

// plainError is a refused command line that 2.6 answers without its usage text.
type plainError struct{ text string }

func (e plainError) Error() string { return e.text }

// leadingNumber reads a number the way the C library's atoi does: what follows
// the digits is ignored, no digits are 0.
func leadingNumber(s string) int {
	s = strings.TrimLeft(s, " \t")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	n, _ := strconv.Atoi(s[:end])
	return n
}
