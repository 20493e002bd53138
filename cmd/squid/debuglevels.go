package main

import (
	"strconv"
	"strings"
)

// debugLevels is a debug_options value understood: the level of every section,
// and of the sections named singly. Sections are rooms here: a logger's name
// finds its section number of 2.6.
type debugLevels struct {
	all      int
	sections map[int]int
	table    []int // by section, for those that ask often
}

// mostSections is above the numbers of all sections of 2.6.
const mostSections = 100

// sectionOf gives the debug section of 2.6 that a room's logger stands for.
var sectionOf = map[string]int{
	"conf": 3, "http1": 11, "forward": 33, "origin": 17, "acl": 28, "dns": 78,
	"accesslog": 46, "errpage": 4, "wccp2": 80, "tproxy": 5, "store": 20,
}

// parseDebugOptions reads "ALL,1 33,2"; words it cannot read count as 2.6
// counts them: a missing level is 0.
func parseDebugOptions(words string) *debugLevels {
	d := &debugLevels{all: 1, sections: map[int]int{}}
	for _, word := range strings.Fields(words) {
		section, level, _ := strings.Cut(word, ",")
		n := leadingNumber(level)
		if strings.EqualFold(section, "ALL") {
			d.all, d.sections = n, map[int]int{}
			continue
		}
		if s, err := strconv.Atoi(section); err == nil {
			d.sections[s] = n
		}
	}
	d.table = make([]int, mostSections)
	for i := range d.table {
		d.table[i] = d.all
		if n, set := d.sections[i]; set {
			d.table[i] = n
		}
	}
	return d
}

// section is the level of a debug section.
func (d *debugLevels) section(number int) int {
	if uint(number) < uint(len(d.table)) {
		return d.table[number]
	}
	if n, set := d.sections[number]; set {
		return n
	}
	return d.all
}

func (d *debugLevels) of(logger string) int {
	name, _, _ := strings.Cut(logger, ".")
	if section, known := sectionOf[name]; known {
		return d.section(section)
	}
	return d.all
}

func (d *debugLevels) highest() int {
	n := d.all
	for _, level := range d.sections {
		n = max(n, level)
	}
	return n
}
