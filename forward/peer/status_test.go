package peer

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// What -k peers tells: each peer with its state, why, round trips and counters.
func TestStatus(t *testing.T) {
	r := load(t, "dead_peer_timeout 10 seconds\ncache_peer one.test parent 3128 3130\ncache_peer two.test sibling 3128 4827 htcp\ncache_peer three.test parent 80 0 no-query\n")
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	r.env.Now = func() time.Time { return now }
	one, two, three := r.list[0], r.list[1], r.list[2]
	one.noteQuestion(true, now)
	one.noteAnswer(icp.Miss, now)
	one.noteRTT(1500 * time.Microsecond)
	two.noteQuestion(true, now.Add(-time.Minute))
	for range downAfter {
		three.Failed()
	}
	three.Sent()
	var text strings.Builder
	if err := WriteStatus(&text, r.Status()); err != nil {
		t.Fatal(err)
	}
	const want = `parent one.test: up
  address one.test, HTTP port 3128, asked by icp at port 3130
  requests 0, connections 0, failures to connect 0
  questions 1, answers 1, ignored 0, round trip 1.500 ms
    ICP_MISS 1
  last answer 2026-11-30T12:00:00Z
sibling two.test: down (silence)
  address two.test, HTTP port 3128, asked by htcp at port 4827
  requests 0, connections 0, failures to connect 0
  questions 1, answers 0, ignored 0, round trip 0.000 ms
parent three.test: down (connections)
  address three.test, HTTP port 80, asked by none at port 0
  requests 1, connections 0, failures to connect 10
  questions 0, answers 0, ignored 0, round trip 0.000 ms
`
	if text.String() != want {
		t.Errorf("got\n%s", text.String())
	}
	text.Reset()
	var list []Status
	if err := WriteStatusJSON(&text, r.Status()); err != nil || json.Unmarshal([]byte(text.String()), &list) != nil || len(list) != 3 || list[0].ByOpcode["ICP_MISS"] != 1 {
		t.Errorf("%v %s", err, text.String())
	}
	one.refuses.Store(true)
	two.unwell.Store(true)
	if list := r.Status(); list[0].Why != "denied" || list[1].Why != "monitor" {
		t.Errorf("%+v", list)
	}
	text.Reset()
	if WriteStatus(&text, nil); text.String() != "There are no neighbors installed.\n" {
		t.Errorf("%q", text.String())
	}
}
