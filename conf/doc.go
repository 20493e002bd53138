// Package conf turns the syntax tree of a squid.conf into a typed Config, with the
// verdicts of Squid 2.6.STABLE24 and explanations of its own.
//
// One table (table.go and the table_*.go files) has a row for every directive:
// names, default, help, the grammar of its value. A grammar (type kind) reads the
// arguments of one line into fields of Config and writes them back; complex values
// have theirs in a file of their own (portline.go, peerline.go, refreshline.go, …).
//
// Load runs in 2.6's order: the defaults, the lines of the file, the default lines of
// lists that stayed empty, the checks of the whole. A handler that refuses a line
// gives a refusal; Load prints 2.6's last words and reads on, silent on 2.6's behalf,
// to find the other problems.
//
// The Report has two voices. Lines are what 2.6 prints, to the letter: init scripts
// read them. Diagnostics are ours: place, what is wrong, what to do, the nearest valid
// word. Extensions are the uses of words 2.6 does not know (testdata/conf/extensions).
// With Options.Lint there are warnings about what parses and will not work (lint*.go).
//
// What each kind of line comes to is written down, as tests, in testdata/spec.
//
// What 2.6 does while it parses (look up names, open list files, look for programs and
// users) goes through World, so that this package opens no socket and tests are
// hermetic. Config.Dump writes the effective configuration back as squid.conf text.
// External lists everything outside the file that a Config refers to.
//
//go:generate go run ../cmd/confdoc .
package conf
