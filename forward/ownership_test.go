package forward

import (
	"strings"
	"testing"
)

// The rules of who owns a fetch, and of what others may do meanwhile, each with the
// interleaving it is about.

// What is the client's alone ends with its client, and nobody else gets it. (What may be
// stored goes on, by quick_abort_min.)
func TestPrivateFetchesEndWithTheirClients(t *testing.T) {
	for name, c := range map[string]struct {
		method, fields string
		head           string
	}{
		"no-store of the client": {"GET", "Cache-Control: no-store\r\n", sized(1000)},
		"no-store of the origin": {"GET", "", strings.Replace(sized(1000), "max-age", "no-store, max-age", 1)},
		"credentials":            {"GET", "Authorization: Basic eDp5\r\n", sized(1000)},
		"a body":                 {"POST", "Content-Length: 0\r\n", sized(1000)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStoring(t, "quick_abort_min -1 KB\ncollapsed_forwarding on")
			v := s.visitBy(c.method, "/", c.fields)
			a := s.next()
			a.say(c.head + "begun")
			v.head()
			v.some(5)
			other := s.visitBy(c.method, "/", c.fields)
			b := s.next() // it is not joined
			b.say(c.head)
			other.head()
			v.leaves()
			if !a.gone() {
				t.Error("the origin is still read from")
			}
			b.say(text(1000))
			if got := other.some(1000); got != text(1000) {
				t.Errorf("%q", got)
			}
			b.end()
			if st := s.srv.StoreStats(); st.Objects != 0 {
				t.Errorf("%d objects are stored", st.Objects)
			}
		})
	}
}

// What may be stored goes on when its client leaves: in the client's goroutine nothing
// waits any more, the fetch gets one of its own, on the same connection.
func TestAFetchOutlivesItsClient(t *testing.T) {
	s := newStoring(t, "quick_abort_min -1 KB")
	v := s.visit("/", "")
	a := s.next()
	a.say(sized(1000) + text(1000)[:5])
	v.head()
	v.some(5)
	v.leaves()
	a.say(text(1000)[5:500])
	a.say(text(1000)[500:])
	a.end()
	s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
	s.visit("/", "").is(text(1000))
	s.none()
}

// A client that joins while the one who began it writes to its client, and is stuck
// there, does not wait for that one; no connection is closed for the hand-over.
func TestJoiningAStuckClient(t *testing.T) {
	s := newStoring(t, "")
	const size = 14 << 20 // more than sockets hold
	body := text(size)
	stuck := s.visit("/", "")
	a := s.next()
	a.say(sized(size))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		a.Write([]byte(body))
		a.end()
	}()
	head := stuck.head()
	select {
	case <-sent:
		t.Error("all was read from the origin for a client that reads nothing")
	default:
	}
	if got := s.visit("/", "").is(body); !strings.HasPrefix(got, "HTTP/1.0 200 OK") {
		t.Errorf("%q", got)
	}
	<-sent
	if got := stuck.rest(); got != body {
		t.Errorf("the first client got %d octets behind %q", len(got), head)
	}
	s.none()
}

// A client that joins while the other's goroutine reads from the origin wakes it.
func TestJoiningWhileTheOriginIsSilent(t *testing.T) {
	s := newStoring(t, "")
	first := s.visit("/", "")
	a := s.next()
	a.say(sized(1000) + text(1000)[:10])
	first.head()
	first.some(10)
	second := s.visit("/", "")
	second.head()
	if got := second.some(10); got != text(1000)[:10] {
		t.Errorf("%q", got)
	}
	first.leaves()
	a.say(text(1000)[10:])
	if got := second.some(990); got != text(1000)[10:] {
		t.Errorf("%q", got)
	}
	a.end()
	s.none()
}

// A reader of an entry whose origin failed gets no clean end, whether it began the fetch
// or joined; nothing of it is found afterwards.
func TestAnAbortedEntryIsNoObject(t *testing.T) {
	for _, framing := range []string{"Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e8\r\n"} {
		s := newStoring(t, "")
		first := s.visit("/", "")
		a := s.next()
		a.say(lasting + framing + text(1000)[:10])
		first.head()
		first.some(10)
		second := s.visit("/", "")
		second.head()
		second.some(10)
		a.SetLinger(0)
		a.Close()
		for _, v := range []*visitor{first, second} {
			if got := v.rest(); got != "" {
				t.Errorf("behind the end of the origin: %q", got)
			}
		}
		s.settled(func() bool { return s.srv.StoreStats().Aborted == 1 })
		v := s.visit("/", "")
		b := s.next()
		b.say(sized(2) + "ok")
		b.end()
		v.is("ok")
	}
}

// The head of an entry is frozen: who reads while a 304 renews it keeps the old head with
// the body, and the next one gets the new head with the same body.
func TestARenewedHeadSharesTheBody(t *testing.T) {
	s := newStoring(t, "")
	const size = 6 << 20
	body := text(size)
	first := s.visit("/", "")
	a := s.next()
	a.say(strings.Replace(sized(size), "\r\nCache", "\r\nAge: 5\r\nETag: \"e\"\r\nX-Head: old\r\nCache", 1))
	go func() { a.Write([]byte(body)); a.end() }()
	first.is(body)
	s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
	slow := s.visit("/", "")
	if head := slow.head(); !strings.Contains(head, "X-Head: old") {
		t.Errorf("%q", head)
	}
	asking := s.visit("/", "Cache-Control: max-age=0\r\n")
	b := s.next()
	if !strings.Contains(b.head, "If-None-Match: \"e\"") {
		t.Errorf("%q", b.head)
	}
	b.say("HTTP/1.1 304 Not Modified\r\nDate: DATE\r\nETag: \"e\"\r\nX-Head: new\r\nConnection: close\r\n\r\n")
	b.end()
	if head := asking.is(body); !strings.Contains(head, "X-Head: new") {
		t.Errorf("%q", head)
	}
	if got := slow.rest(); got != body {
		t.Errorf("%d octets for who read meanwhile", len(got))
	}
	if head := s.visit("/", "").is(body); !strings.Contains(head, "X-Head: new") {
		t.Errorf("%q", head)
	}
	s.none()
}

// An entry of unknown length that outgrew memory and is not on its way to disk takes no
// new readers: who comes then fetches for itself.
func TestNobodyJoinsWhatWillNotBeKept(t *testing.T) {
	s := newStoring(t, "maximum_object_size_in_memory 64 KB\nmaximum_object_size 64 KB")
	first := s.visit("/", "")
	a := s.next()
	a.say(lasting + "\r\n" + text(10))
	first.head()
	second := s.visit("/", "")
	second.head() // joined: it may yet be kept
	long := text(1 << 20)
	go a.Write([]byte(long[10:]))
	if first.some(512<<10) != long[:512<<10] || second.some(512<<10) != long[:512<<10] {
		t.Error("wrong octets")
	}
	third := s.visit("/", "")
	b := s.next()
	b.say(sized(3) + "own")
	b.end()
	third.is("own")
	if first.some(512<<10) != long[512<<10:] || second.some(512<<10) != long[512<<10:] {
		t.Error("wrong octets at the end")
	}
	a.end()
}

// With collapsed_forwarding those who come before the head wait for it. When it shows
// that nobody else may have the reply, each fetches for itself, all at once.
func TestWaitersAreTurnedAwayTogether(t *testing.T) {
	s := newStoring(t, "collapsed_forwarding on")
	all := []*visitor{s.visit("/", "")}
	a := s.next()
	for range 3 {
		all = append(all, s.visit("/", ""))
	}
	s.settled(func() bool { return s.srv.StoreStats().Waited == 3 })
	s.none()
	a.say(strings.Replace(sized(1), "max-age", "private, max-age", 1))
	others := []*asked{s.next(), s.next(), s.next()} // before anything is answered
	a.say("0")
	a.end()
	for _, b := range others {
		b.say(strings.Replace(sized(1), "max-age", "private, max-age", 1) + "1")
		b.end()
	}
	for i, v := range all {
		v.is("0111"[i : i+1])
	}
}

// Waiters whose variant it is not fetch for themselves; those whose it is get it.
func TestWaitersSelectByTheHead(t *testing.T) {
	s := newStoring(t, "collapsed_forwarding on")
	first := s.visit("/", "X: a\r\n")
	a := s.next()
	same, other := s.visit("/", "X: a\r\n"), s.visit("/", "X: b\r\n")
	s.settled(func() bool { return s.srv.StoreStats().Waited == 2 })
	a.say(strings.Replace(sized(1), "\r\nCache", "\r\nVary: X\r\nCache", 1))
	b := s.next()
	if !strings.Contains(b.head, "X: b") {
		t.Errorf("%q", b.head)
	}
	b.say(strings.Replace(sized(1), "\r\nCache", "\r\nVary: X\r\nCache", 1) + "b")
	b.end()
	other.is("b")
	a.say("a")
	a.end()
	first.is("a")
	same.is("a")
	s.none()
}

// A list of variants is kept although it is smaller than what may be: without it none of
// them is found.
func TestVariantsOfLargeObjects(t *testing.T) {
	s := newStoring(t, "minimum_object_size 4 KB\ncollapsed_forwarding on")
	for _, c := range []string{"a", "b", "a", "b", "a"} {
		v := s.visit("/", "X: "+c+"\r\n")
		if st := s.srv.StoreStats(); st.MemoryHits < 2 && st.Objects < 3 {
			a := s.next()
			a.say(strings.Replace(sized(5000), "\r\nCache", "\r\nVary: X\r\nCache", 1) + strings.Repeat(c, 5000))
			a.end()
		}
		v.is(strings.Repeat(c, 5000))
		s.settled(func() bool { return s.srv.StoreStats().Objects >= 2 })
	}
	s.none()
	if n := s.srv.StoreStats().Objects; n != 3 {
		t.Errorf("%d objects", n)
	}
}

// Without collapsed_forwarding nobody waits for a head.
func TestWithoutCollapsingNobodyWaits(t *testing.T) {
	s := newStoring(t, "")
	first, second := s.visit("/", ""), s.visit("/", "")
	a, b := s.next(), s.next()
	for _, x := range []*asked{a, b} {
		x.say(sized(2) + "ok")
		x.end()
	}
	first.is("ok")
	second.is("ok")
}

// PURGE takes a streaming entry's name away: its readers finish, nobody finds it.
func TestPurgeWhileItStreams(t *testing.T) {
	s := newStoring(t, "acl p method PURGE\nhttp_access allow p\nhttp_access allow all")
	first := s.visit("/", "")
	a := s.next()
	a.say(sized(1000) + text(1000)[:10])
	first.head()
	second := s.visit("/", "")
	second.head()
	if head := s.visitBy("PURGE", "/", "").head(); !strings.HasPrefix(head, "HTTP/1.0 200") {
		t.Errorf("%q", head)
	}
	third := s.visit("/", "")
	b := s.next()
	a.say(text(1000)[10:])
	a.end()
	if first.rest() != text(1000) || second.rest() != text(1000) {
		t.Error("a reader did not get all")
	}
	b.say(sized(3) + "new")
	b.end()
	third.is("new")
	s.settled(func() bool { return s.srv.StoreStats().Objects == 1 })
	s.visit("/", "").is("new")
	s.none()
}

// What ends one reader does not end the entry: here a rule about its reply, and its hanging up.
func TestOneReadersEndIsNotTheEntrys(t *testing.T) {
	s := newStoring(t, "acl denied browser denied\nhttp_reply_access deny denied\nhttp_reply_access allow all")
	first := s.visit("/", "")
	a := s.next()
	a.say(sized(1000) + text(1000)[:10])
	first.head()
	if head := s.visit("/", "User-Agent: denied\r\n").head(); !strings.Contains(head, " 403 ") {
		t.Errorf("%q", head)
	}
	leaving := s.visit("/", "")
	leaving.head()
	leaving.leaves()
	first.leaves()
	last := s.visit("/", "")
	last.head()
	a.say(text(1000)[10:])
	a.end()
	if got := last.rest(); got != text(1000) {
		t.Errorf("%d octets", len(got))
	}
	s.none()
}

// A refresh in the background is nobody's: its client leaves, and it goes on; the log has
// the client's line.
func TestARefreshBehindHasNoClient(t *testing.T) {
	s := newStoring(t, "")
	head := "HTTP/1.1 200 OK\r\nDate: DATE\r\nAge: 20\r\nETag: \"e\"\r\nCache-Control: max-age=19, stale-while-revalidate=1000\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"
	first := s.visit("/", "")
	a := s.next()
	a.say(head + "old")
	a.end()
	first.is("old")
	s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
	s.visit("/", "X-Client: here\r\n").is("old")
	b := s.next()
	if !strings.Contains(b.head, "If-None-Match: \"e\"") {
		t.Errorf("%q", b.head)
	}
	s.visit("/", "").is("old") // while the origin is asked, and it is asked once
	s.none()
	b.say(sized(3) + "new")
	b.end()
	s.settled(func() bool { return s.srv.StoreStats().Stored == 2 })
	s.visit("/", "").is("new")
	lines := strings.Join(s.log(5), "\n")
	for tag, n := range map[string]int{"TCP_MISS/200 ": 1, "TCP_STALE_HIT/200 ": 2, "TCP_ASYNC_MISS/200 0 GET ": 1, "TCP_MEM_HIT/200 ": 1} {
		if strings.Count(lines, " 127.0.0.1 "+tag) != n {
			t.Errorf("%s is not logged %d times: %q", tag, n, lines)
		}
	}
}

// Without a page to be had nobody waits and nobody fails: every client gets every octet.
func TestWithoutMemoryNobodyWaits(t *testing.T) {
	s := newStoring(t, "cache_mem 128 KB")
	const size = 300 << 10
	body := text(size)
	var all []*visitor
	for i := range 8 {
		v := s.visit("/"+string(rune('a'+i)), "")
		a := s.next()
		a.say(sized(size))
		go func() { a.Write([]byte(body)); a.end() }()
		v.head()
		all = append(all, v)
	}
	for i, v := range all {
		if got := v.rest(); got != body {
			t.Errorf("client %d got %d octets", i, len(got))
		}
	}
}

// The end of the proxy does not wait for fetches that have no client any more.
func TestShutdownEndsFetchesWithoutClients(t *testing.T) {
	s := newStoring(t, "quick_abort_min -1 KB")
	v := s.visit("/", "")
	a := s.next()
	a.say(sized(1000) + "begun")
	v.head()
	v.some(5)
	v.leaves()
	gone := make(chan bool)
	go func() { gone <- a.gone() }()
	s.srv.Shutdown(0)
	if !<-gone {
		t.Error("the fetch goes on")
	}
}
