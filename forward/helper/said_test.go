package helper

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// Debug section 84 shows questions and answers, of those who carry secrets their
// lengths only.
func TestQuestionsAreTraced(t *testing.T) {
	for secret, want := range map[bool][2]string{false: {`e #1 is asked "word"`, `e #1 answers "word"`}, true: {"e #1 is asked something of 4 bytes", "e #1 answers something of 4 bytes"}} {
		core, logs := observer.New(zapcore.Level(1 - 5))
		p := NewPool(Options{Name: "e", Program: program("echo"), Children: 1, Secret: secret, Log: zap.New(core)})
		answer, err := p.Ask(t.Context(), []byte("word"))
		p.Kill()
		p.Wait()
		if err != nil || answer != "word" {
			t.Fatal(answer, err)
		}
		for _, line := range want {
			if !logged(logs, line) {
				t.Errorf("secret %v: %q is not among %v", secret, line, logs.All())
			}
		}
	}
}
