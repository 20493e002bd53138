package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	var s settings
	var only string
	var verbose bool
	floor := flag.Int("floor", 3, "grade every required scenario must reach for exit status 0")
	flag.StringVar(&s.bin, "bin", "bin/squid", "the proxy to run")
	flag.StringVar(&only, "only", "", "names or areas, shell patterns, separated by commas")
	flag.IntVar(&s.jobs, "jobs", 3, "instances side by side")
	flag.IntVar(&s.group, "group", 10, "scenarios that share one start at most")
	flag.IntVar(&s.portBase, "port-base", 21000, "first of the five-digit ports to use")
	flag.IntVar(&s.portCount, "port-count", 1000, "number of ports")
	flag.StringVar(&s.scratch, "scratch", "", "folder for the instances (the system's when empty)")
	flag.BoolVar(&s.keep, "keep", false, "keep the instances' folders")
	flag.DurationVar(&s.startTimeout, "start-timeout", 60*time.Second, "limit for one start")
	flag.BoolVar(&verbose, "v", false, "show differences")
	flag.Parse()
	var patterns []string
	if only != "" {
		patterns = strings.Split(only, ",")
	}
	all, err := loadScenarios(flag.Args(), patterns)
	if err == nil {
		s.bin, err = filepath.Abs(s.bin)
	}
	var results []result
	if err == nil {
		results, err = run(s, all)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "exchange:", err)
		os.Exit(2)
	}
	if verbose {
		for _, r := range results {
			fmt.Print(r.describe(8))
		}
	}
	fmt.Print(table(results))
	for _, r := range results {
		if r.grade < *floor && r.sc.required() {
			os.Exit(1)
		}
	}
}
