package accesslog

import (
	"testing"
	"unsafe"
)

// A copy outlives its entry, which then writes other lines: they must not share the
// place where values are quoted.
func TestACopyQuotesInAPlaceOfItsOwn(t *testing.T) {
	e := Entry{Method: "CONNECT", scratch: make([]byte, 0, 64)}
	c := e.Copy()
	if c.Method != e.Method {
		t.Errorf("the method of the copy is %q", c.Method)
	}
	c.scratch = append(c.scratch[:0], "of the copy"...)
	if unsafe.SliceData(c.scratch) == unsafe.SliceData(e.scratch[:1]) {
		t.Error("both quote in one place")
	}
}
