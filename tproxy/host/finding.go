package host

import (
	"encoding/json"
	"fmt"
	"io"
)

// Finding is one fact about the host.
type Finding struct {
	// ID names what was looked at; tools may rely on it.
	ID    string `json:"id"`
	Level Level  `json:"level"`
	// Fact is what was measured.
	Fact string `json:"fact"`
	// Why says what comes of it; empty when all is well.
	Why string `json:"why,omitempty"`
	// Remedy is the command that mends it.
	Remedy string `json:"remedy,omitempty"`
}

// String is the finding as one line.
func (f Finding) String() string {
	line := fmt.Sprintf("%-4s %s: %s", f.Level, f.ID, f.Fact)
	if f.Why != "" {
		line += "; " + f.Why
	}
	if f.Remedy != "" {
		line += "; mend it with: " + f.Remedy
	}
	return line
}

// Worst is the highest level among findings.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		worst = max(worst, f.Level)
	}
	return worst
}

// WriteText writes one line for each finding.
func WriteText(to io.Writer, findings []Finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintln(to, f); err != nil {
			return err
		}
	}
	return nil
}

// WriteJSON writes {"worst": ..., "findings": [...]}.
func WriteJSON(to io.Writer, findings []Finding) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Worst    Level     `json:"worst"`
		Findings []Finding `json:"findings"`
	}{Worst(findings), findings})
}

// setupMends is the remedy of everything Setup does.
const setupMends = "squid -k setup"
