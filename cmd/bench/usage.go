package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// family lists a process and its descendants.
func family(pid int) []int {
	parents := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, s := range stats {
		if f := statFields(s); f != nil {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(s)))
			parent, _ := strconv.Atoi(f[1])
			parents[parent] = append(parents[parent], child)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, parents[all[i]]...)
	}
	return all
}

// statFields gives the fields of a stat file from the state on (field 3).
func statFields(path string) []string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	end := bytes.LastIndexByte(data, ')')
	if end < 0 {
		return nil
	}
	return strings.Fields(string(data[end+1:]))
}

// processorTime is what the living threads of a process and its descendants
// have spent on a processor, but for those that run the program uncounted. The scheduler
// counts it in nanoseconds (the first number of schedstat), so that it is good for short
// measurements too.
func processorTime(pid int, uncounted string) (total time.Duration) {
	for _, p := range family(pid) {
		if uncounted != "" {
			if program, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", p)); program == uncounted {
				continue
			}
		}
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/schedstat", p))
		for _, t := range threads {
			data, _ := os.ReadFile(t)
			first, _, _ := bytes.Cut(data, []byte(" "))
			spent, _ := strconv.ParseInt(string(first), 10, 64)
			total += time.Duration(spent)
		}
	}
	return total
}

// resident is the resident memory of a process and its descendants in bytes.
func resident(pid int) (total int64) {
	for _, p := range family(pid) {
		data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
		for line := range strings.Lines(string(data)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
				total += kb << 10
			}
		}
	}
	return total
}
