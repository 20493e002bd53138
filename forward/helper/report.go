package helper

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText writes what -k helpers shows: each program, and each of its processes.
func WriteText(w io.Writer, list []Stats) error {
	var b strings.Builder
	if len(list) == 0 {
		b.WriteString("no helper programs are configured\n")
	}
	for _, s := range list {
		fmt.Fprintf(&b, "%s: %s\n", s.Name, printable([]byte(s.Program[0])))
		fmt.Fprintf(&b, "  processes %d of %d, questions %d, answers %d, refused %d, restarts %d, waiting %d (most %d)\n",
			len(s.Children), s.Wanted, s.Asked, s.Answered, s.Refused, s.Restarts, s.Queue, s.LongestQueue)
		if len(s.Children) > 0 {
			fmt.Fprintf(&b, "  %5s %8s %10s %10s %8s %10s %10s  %s\n", "#", "pid", "questions", "answers", "pending", "waiting", "mean", "state")
		}
		for _, c := range s.Children {
			fmt.Fprintf(&b, "  %5d %8d %10d %10d %8d %10s %10s  %s\n", c.Number, c.Pid, c.Asked, c.Answered, c.Pending,
				short(c.Waiting), short(c.Mean), c.state())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func short(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return d.Round(10 * time.Microsecond).String()
}

func (c *ChildStats) state() string {
	switch {
	case c.Leaving:
		return "leaving"
	case c.Reserved:
		return "reserved"
	case c.Pending > 0:
		return "busy"
	}
	return "idle"
}
