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

// tick is the unit of processor time in /proc (USER_HZ, 100 on every Linux).
const tick = 10 * time.Millisecond

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

// processorTime is the user and system time of a process and its descendants.
func processorTime(pid int) time.Duration {
	var ticks int64
	for _, p := range family(pid) {
		if f := statFields(fmt.Sprintf("/proc/%d/stat", p)); len(f) > 13 {
			user, _ := strconv.ParseInt(f[11], 10, 64)
			system, _ := strconv.ParseInt(f[12], 10, 64)
			ticks += user + system
		}
	}
	return time.Duration(ticks) * tick
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
