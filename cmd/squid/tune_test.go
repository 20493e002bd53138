package main

import (
	"runtime"
	"sync"
	"testing"
)

// Memory after an attack goes back to the system, what lay in pools too; what is in
// use stays, and is not asked for again and again.
func TestMemoryAfterAnAttackGoesBack(t *testing.T) {
	var pool sync.Pool
	held := make([][]byte, 0, 200)
	for range cap(held) {
		held = append(held, make([]byte, 1<<20))
	}
	full := heldMemory()
	if returnSome(); heldMemory() < 200<<20 {
		t.Errorf("%d of %d octets are held while they are in use", heldMemory(), full)
	}
	runtime.KeepAlive(held)
	pool.Put(&held)
	held = nil
	if !returnSome() || heldMemory() > full-180<<20 {
		t.Errorf("of %d octets %d are held afterwards", full, heldMemory())
	}
	runtime.KeepAlive(&pool)
}
