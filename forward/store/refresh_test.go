package store

import (
	"bytes"
	"testing"
)

// A 304 publishes a new head that shares the body; readers keep the head they have.
func TestA304GivesANewHeadToTheSameBody(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 50_000)
	s.put(t, d)
	pages := s.Stats().MemoryPages
	var before, after Reader
	s.find(d, &before)
	fresh := *d
	for i := range 20 {
		fresh.head = bytes.Replace(d.head, []byte("\r\n\r\n"), append(bytes.Repeat([]byte("\r\nX-Fresh: yes"), 1+i*40), "\r\n\r\n"...), 1)
		var r Reader
		s.find(d, &r)
		h := fresh.published(len(d.body))
		h.Facts.Timestamp += Time(1 + i)
		if !s.Refresh(&r, h) {
			t.Fatal("the head was not taken")
		}
		r.Close()
		if found := s.find(d, &after); found != Hit || after.Facts().Timestamp != 1_800_000_001+Time(i) {
			t.Fatalf("found %d, facts %+v", found, after.Facts())
		}
		after.readAll(t, &fresh)
		after.Close()
	}
	before.readAll(t, d)
	before.Close()
	if now := s.Stats().MemoryPages; now > pages+4 {
		t.Errorf("%d pages, then %d", pages, now)
	}
	s.Purge(d.key)
	if st := s.Stats(); st.MemoryPages != 0 || st.Objects != 0 {
		t.Errorf("after all has gone: %+v", st)
	}
}

func TestA304ForWhatIsGone(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 5000)
	s.put(t, d)
	var r Reader
	s.find(d, &r)
	s.Purge(d.key)
	if s.Refresh(&r, d.published(5000)) {
		t.Error("an object that is gone was refreshed")
	}
	r.readAll(t, d)
	r.Close()
	if st := s.Stats(); st.MemoryPages != 0 {
		t.Errorf("%+v", st)
	}
}
