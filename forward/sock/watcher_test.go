package sock

import (
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// An event that was on its way when its connection was closed does not reach
// the connection that took over the slot.
func TestLateEventMeetsNobody(t *testing.T) {
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var told atomic.Int32
	count := hangFunc(func(*Conn, bool) { told.Add(1) })
	a, _ := plainPair(t)
	if err := w.Watch(a, count); err != nil {
		t.Fatal(err)
	}
	late := unix.EpollEvent{Events: unix.EPOLLRDHUP, Fd: int32(uint32(a.token)), Pad: int32(uint32(a.token >> 32))}
	a.Close()
	b, _ := plainPair(t)
	if err := w.Watch(b, count); err != nil {
		t.Fatal(err)
	}
	if uint32(a.token) != uint32(b.token) || len(w.slots) != 1 {
		t.Fatalf("slot %d, then %d, of %d", uint32(a.token), uint32(b.token), len(w.slots))
	}
	w.report(&late)
	if told.Load() != 0 || b.PeerClosed() || b.PeerReset() {
		t.Error("the next connection in the slot heard of it")
	}
	late.Fd, late.Pad = int32(uint32(b.token)), int32(uint32(b.token>>32))
	w.report(&late)
	w.report(&late)
	if told.Load() != 1 || !b.PeerClosed() || b.PeerReset() {
		t.Errorf("told %d times", told.Load())
	}
}

func TestWatchingAClosedConnection(t *testing.T) {
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	a, _ := pair(t)
	a.Close()
	if err := w.Watch(a, hangFunc(func(*Conn, bool) { t.Error("told") })); err == nil {
		t.Error("no error")
	}
	if w.count != 0 {
		t.Errorf("%d connections known", w.count)
	}
}
