package main

import (
	"testing"

	"go.uber.org/zap/zapcore"
)

// Each level of debug_options has a level of zap.
func TestLevelsBelowDebug(t *testing.T) {
	for zapLevel, want := range map[zapcore.Level]int{
		zapcore.ErrorLevel: 0, zapcore.WarnLevel: 0, zapcore.InfoLevel: 1, zapcore.DebugLevel: 2, zapcore.DebugLevel - 1: 3, zapcore.DebugLevel - 7: 9,
	} {
		if got := debugLevel(zapLevel); got != want {
			t.Errorf("zap's %d is level %d, want %d", zapLevel, got, want)
		}
	}
}
