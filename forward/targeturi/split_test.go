package targeturi

import (
	"fmt"
	"strings"
	"testing"
)

func TestSplitPort(t *testing.T) {
	for text, want := range map[string]string{
		"": " 0", "h": "h 0", "h:80": "h 80", "h:": "h 0", "h:x": "h 0", "h:8x": "h 8", ":80": " 80", "h:0080": "h 80", "h:65535": "h 65535",
		"[::1]": "[::1] 0", "[::1]:80": "[::1] 80", "[::1": "[ 0", "h:80:90": "h 80", "h:-1": "h 0",
	} {
		name, port := splitPort([]byte(text))
		if got := fmt.Sprintf("%s %d", name, port); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if _, port := splitPort([]byte("h:" + strings.Repeat("9", 100))); port < 1<<16 || port > 1<<20 {
		t.Errorf("a hundred digits: %d", port) // too large for the URL, which says so
	}
}
