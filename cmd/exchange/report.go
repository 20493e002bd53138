package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// describe lists the differences of a scenario that lost a grade, at most limit.
func (r result) describe(limit int) string {
	if len(r.differences) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s reached grade %d\n", r.sc.id(), r.grade)
	for _, d := range r.differences[:min(limit, len(r.differences))] {
		fmt.Fprintf(&b, "    %s\n      recorded %s\n      now      %s\n", d.where, shortly(d.recorded), shortly(d.now))
	}
	return b.String()
}

func shortly(v any) string {
	s, isText := v.(string)
	if !isText {
		raw, _ := json.Marshal(v)
		s = string(raw)
	}
	if len(s) > 400 {
		return fmt.Sprintf("%q...", s[:400])
	}
	return fmt.Sprintf("%q", s)
}

// counts are how many scenarios reached at least each grade.
type counts struct{ all, one, two, three int }

func (c *counts) add(grade int) {
	c.all++
	if grade >= 1 {
		c.one++
	}
	if grade >= 2 {
		c.two++
	}
	if grade >= 3 {
		c.three++
	}
}

// table counts the required scenarios by area.
func table(results []result) string {
	var b strings.Builder
	areas, order, total := map[string]*counts{}, []string{}, counts{}
	optional, agree := 0, 0
	for _, r := range results {
		if !r.sc.required() {
			optional++
			if r.grade >= 1 {
				agree++
			}
			continue
		}
		c := areas[r.sc.area]
		if c == nil {
			c = &counts{}
			areas[r.sc.area] = c
			order = append(order, r.sc.area)
		}
		c.add(r.grade)
		total.add(r.grade)
	}
	fmt.Fprintf(&b, "%-14s %9s %8s %8s %8s\n", "area", "scenarios", "grade1+", "grade2+", "grade3")
	for _, area := range order {
		c := areas[area]
		fmt.Fprintf(&b, "%-14s %9d %8d %8d %8d\n", area, c.all, c.one, c.two, c.three)
	}
	fmt.Fprintf(&b, "%-14s %9d %8d %8d %8d\n", "TOTAL", total.all, total.one, total.two, total.three)
	if optional > 0 {
		fmt.Fprintf(&b, "not required (copy: false): %d, of which %d agree at grade 1\n", optional, agree)
	}
	return b.String()
}
