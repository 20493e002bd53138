package reply

import "testing"

// The numbers were recorded: limit 1000, a head of 82 bytes.
func TestBodyLimit(t *testing.T) {
	for _, c := range []struct {
		limit   int64
		head, n int
		allowed int
		more    bool
	}{
		{1000, 82, 3000, 3000, true}, {1000, 82, 4014, 4014, true}, {1000, 82, 5000, 5000, true},
		{1000, 82, 9000, 8110, false}, {1000, 82, 100000, 8110, false},
		{4096, 82, 100000, 12288 - 82, false}, {4095, 82, 100000, 8192 - 82, false},
		{1000, 5000, 100000, 8192 - 5000, false},
	} {
		b := newLimit(c.limit, c.head, true)
		if n, more := b.allow(c.n); n != c.allowed || more != c.more {
			t.Errorf("limit %d, head %d, %d bytes: %d, %v", c.limit, c.head, c.n, n, more)
		}
	}
}
