package main

import (
	"strings"
	"testing"
)

func TestOnlyWhatCanBeMeasured(t *testing.T) {
	if err := unknown(strings.Split(everything, ",")); err != nil {
		t.Error(err)
	}
	for _, only := range []string{"nonsense", "small,nonsense", ""} {
		c := choices{only: strings.Split(only, ",")}
		if err := c.run(); err == nil || !strings.Contains(err.Error(), "no such measurement") {
			t.Errorf("-only %s: %v", only, err)
		}
	}
}
