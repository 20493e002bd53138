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
		h.Metadata.Timestamp += Time(1 + i)
		if !s.Refresh(&r, h) {
			t.Fatal("the head was not taken")
		}
		r.Close()
		if found := s.find(d, &after); found != Hit || after.Metadata().Timestamp != 1_800_000_001+Time(i) {
			t.Fatalf("found %d, metadata %+v", found, after.Metadata())
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

// With update_headers the file gets the new head as well: the object is the same
// after another start.
func TestA304ChangesTheFile(t *testing.T) {
	for _, update := range []bool{true, false} {
		c := withDisk(t)
		c.UpdateHeaders = update
		s, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		rebuilt(t, s)
		docs := []*doc{docOf(1, 10_000), docOf(2, 500_000)}
		for _, d := range docs {
			d.vary = `accept-language="en"`
			s.put(t, d)
			fresh := *d
			fresh.head = bytes.Replace(d.head, []byte("\r\n\r\n"), []byte("\r\nX-Fresh: yes\r\n\r\n"), 1)
			h := fresh.published(-1)
			h.Vary = nil
			h.Metadata.Timestamp += 100
			var r Reader
			s.find(d, &r)
			if err := r.Load(t.Context(), d.url); err != nil {
				t.Fatal(err)
			}
			if !s.Refresh(&r, h) {
				t.Fatal("the head was not taken")
			}
			r.readAll(t, d)
			r.Close()
			if update {
				d.head = fresh.head
			}
			eventually(t, "it is written", func() bool {
				st := s.Stats()
				return s.rewrites.Load() == 0 && st.Dirs[0].Objects == int64(st.Objects) && st.Writes == 0
			})
		}
		eventually(t, "nothing is on its way", func() bool { return s.Stats().OpenFiles == 0 && s.Stats().Objects == 2 })
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = rebuilt(t, open(t, c))
		for _, d := range docs {
			var r Reader
			if found := s.find(d, &r); found != Hit || r.Metadata().Timestamp != 1_800_000_100 {
				t.Errorf("found %d, %+v", found, r.Metadata())
			}
			r.readAll(t, d)
			if vary := string(r.Vary(nil)); vary != d.vary {
				t.Errorf("it varies by %q", vary)
			}
			r.Close()
		}
	}
}
