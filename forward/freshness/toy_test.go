package freshness

import (
	"crypto/md5"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// toy is the slowest cache that works: a map, and the functions of this package in
// the order in which a transaction asks them.
type toy struct {
	t        *testing.T
	rules    *Rules
	denied   bool // cache deny all
	objects  map[string]*toyObject
	variants map[string][]Variant
	now      float64
	origin   func(asked *toyRequest) (reply string, ok bool)
	asked    []*toyRequest
	last     string   // the origin's last reply
	later    []func() // refreshes in the background
	smallest int64    // minimum_object_size
}

type toyObject struct {
	head   []byte
	body   []byte
	object Object
}

// toyRequest is a request that goes to the origin.
type toyRequest struct {
	method string
	fields []string
}

// toyAnswer is what the client gets.
type toyAnswer struct {
	status        int
	fields        []string
	body          string
	cache, lookup Lookup
	tag           Tag
}

func newToy(t *testing.T, lines ...string) *toy {
	t.Helper()
	cfg, report := conf.LoadText("squid.conf", []byte("http_port 3128\nvisible_hostname proxy.test\nacl all src 0.0.0.0/0.0.0.0\n"+strings.Join(lines, "\n")+"\n"), conf.Options{})
	if !report.Accepted() {
		t.Fatalf("configuration: %v", report.Lines)
	}
	rules, err := NewRules(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &toy{
		t: t, rules: rules, objects: map[string]*toyObject{}, variants: map[string][]Variant{}, now: startOfTests,
		denied: len(cfg.Cache) > 0, smallest: cfg.MinimumObjectSize,
	}
}

// startOfTests is some second of 2026, and a bit.
const startOfTests = 1_800_000_000.3

func (c *toy) second() int64 { return int64(c.now) }

func (c *toy) request(text string) *http1.Request {
	c.t.Helper()
	var req http1.Request
	req.Reset()
	if _, state := req.Parse([]byte(text), &http1.Options{Relaxed: true}); state != http1.Complete {
		c.t.Fatalf("request %q: %v", text, req.Fault)
	}
	return &req
}

func parseReply(t *testing.T, text string) (*http1.Reply, []byte) {
	t.Helper()
	var rep http1.Reply
	rep.Reset()
	n, state := rep.Parse([]byte(text), true, &http1.Options{Relaxed: true})
	if state != http1.Complete {
		t.Fatalf("reply %q: %v", text, rep.Fault)
	}
	return &rep, []byte(text[n:])
}

// find looks for what is stored, by URL and variant.
func (c *toy) find(method, url string, req *http1.Request) (*toyObject, string) {
	key := method + " " + url
	if list := c.variants[key]; list != nil {
		vary, _ := parseReply(c.t, string(c.objects[key].head))
		data, _ := AppendVaryData(nil, vary.Get(http1.Vary), &req.Fields)
		at := SelectVariant(list, data)
		if at < 0 {
			return nil, key
		}
		return c.objects[string(list[at].Key[:])], string(list[at].Key[:])
	}
	return c.objects[key], key
}

// do plays one request of a client.
func (c *toy) do(text string) toyAnswer {
	c.t.Helper()
	req := c.request(text)
	url := string(req.Target)
	rule := c.rules.Of([]byte(url))
	q := c.rules.ReadRequest(req, false, Port{})
	if c.denied || !q.Cacheable() {
		return c.fetch(rule, &q, req, Decision{Tag: TagMiss, Lookup: LookupMiss}, nil)
	}
	stored, _ := c.find(req.MethodText, url, req)
	if stored == nil && q.Method == http1.HEAD {
		stored, _ = c.find("GET", url, req)
	}
	found := Found{InMemory: true, HTTP: true, Others: stored == nil && c.variants["GET "+url] != nil}
	if stored != nil {
		found.Object = &stored.object
		head, _ := parseReply(c.t, string(stored.head))
		found.Matches = q.Matching && Matches(&req.Fields, &head.Fields)
	}
	switch d := c.rules.Decide(rule, &q, found, c.second()); d.Action {
	case Serve:
		return c.serve(&q, req, stored, d, true)
	case ServeStale:
		c.later = append(c.later, func() { c.refresh(rule, &q, req, d, stored) })
		return c.serve(&q, req, stored, d, true)
	case Refresh:
		return c.refresh(rule, &q, req, d, stored)
	case Refuse:
		return toyAnswer{status: 504, tag: d.Tag, cache: LookupMiss, lookup: d.Lookup}
	default:
		return c.fetch(rule, &q, req, d, stored)
	}
}

// serve answers from the store; conditions says whether the client's count.
func (c *toy) serve(q *Request, req *http1.Request, stored *toyObject, d Decision, conditions bool) toyAnswer {
	rep, _ := parseReply(c.t, string(stored.head))
	a := toyAnswer{status: rep.Status, cache: LookupHit, lookup: d.Lookup, tag: d.Tag, body: string(stored.body)}
	if conditions && c.rules.Precondition(q, &req.Fields, &rep.Fields, &stored.object) {
		a.status, a.body, a.tag = 304, "", TagIMSHit
	}
	var spans []Span
	if specs, ok := ParseRange(nil, req.Get(http1.Range)); ok && q.Ranged && a.status == 200 && RangeHolds(&req.Fields, &rep.Fields) {
		var ordered bool
		if spans, ordered = Spans(nil, specs, int64(len(stored.body))); !ordered {
			spans = nil
		}
	}
	for i := range rep.Len() {
		id := rep.ID(i)
		switch {
		case !HitField(id), id == http1.ContentLength, rep.ConnectionLists(rep.Key(i)) || id == http1.Connection,
			a.status == 304 && !slices.Contains(NotModifiedFields[:], id), len(spans) > 1 && id == http1.ContentType:
			continue
		}
		a.fields = append(a.fields, fmt.Sprintf("%s: %s", rep.Key(i), rep.Value(i)))
	}
	length := len(stored.body)
	switch {
	case len(spans) == 1:
		a.status, a.body = 206, a.body[spans[0].From:spans[0].To]
		a.fields = append(a.fields, "Content-Range: "+string(AppendContentRange(nil, spans[0], int64(length))))
		length = len(a.body)
	case len(spans) > 1:
		m := Multipart{"b", rep.Get(http1.ContentType), int64(length)}
		a.status = 206
		a.fields = append(a.fields, "Content-Type: "+string(m.AppendType(nil)))
		var parts []byte
		for _, s := range spans {
			parts = append(m.AppendHead(parts, s), stored.body[s.From:s.To]...)
		}
		a.body = string(m.AppendEnd(parts))
		length = int(m.Length(spans))
	}
	if a.status != 304 {
		a.fields = append(a.fields, "Content-Length: "+strconv.Itoa(length))
	}
	if age := stored.object.Age(c.second()); age > 0 {
		a.fields = append(a.fields, "Age: "+strconv.FormatInt(age, 10))
	}
	if q.Method == http1.HEAD {
		a.body = ""
	}
	return a
}

// send asks the origin; fields of the client that must not go are left out.
func (c *toy) send(req *http1.Request, first []string, without func(http1.Name) bool) *http1.Reply {
	c.t.Helper()
	asked := &toyRequest{method: req.MethodText, fields: first}
	for i := range req.Len() {
		if !without(req.ID(i)) {
			asked.fields = append(asked.fields, fmt.Sprintf("%s: %s", req.Key(i), req.Value(i)))
		}
	}
	c.asked = append(c.asked, asked)
	text, ok := c.origin(asked)
	if !ok {
		return nil
	}
	c.last = text
	rep, _ := parseReply(c.t, text)
	return rep
}

func bodyOf(t *testing.T, rep *http1.Reply, text string) []byte {
	t.Helper()
	return []byte(text[len(rep.Head):])
}

func (c *toy) fetch(rule *Rule, q *Request, req *http1.Request, d Decision, stored *toyObject) toyAnswer {
	var first []string
	key := req.MethodText + " " + string(req.Target)
	without := func(http1.Name) bool { return false }
	if tags := AppendVariantTags(nil, &req.Fields, c.variants[key]); len(tags) > 0 && stored == nil && !q.Reload {
		first = []string{"If-None-Match: " + string(tags)}
		without = func(id http1.Name) bool { return id == http1.IfNoneMatch }
	}
	if specs, ok := ParseRange(nil, req.Get(http1.Range)); ok && c.rules.FetchesWhole(specs) {
		without = func(id http1.Name) bool { return id == http1.Range || id == http1.IfRange }
	}
	rep := c.send(req, first, without)
	if rep == nil {
		return toyAnswer{status: 503, tag: d.Tag, cache: LookupMiss, lookup: d.Lookup}
	}
	if at := TaggedVariant(c.variants[key], rep.Get(http1.ETag)); rep.Status == 304 && first != nil && at >= 0 {
		v := c.variants[key][at]
		vary, _ := parseReply(c.t, string(c.objects[key].head))
		data, _ := AppendVaryData(nil, vary.Get(http1.Vary), &req.Fields)
		v.Data = []string{string(data)}
		c.variants[key] = AddVariant(c.variants[key], v)
		return c.serve(q, req, c.objects[string(v.Key[:])], Decision{Tag: TagMemHit, Lookup: LookupHit}, true)
	}
	return c.take(rule, q, req, rep, d)
}

// take hands the origin's reply to the client and stores it if it may be.
func (c *toy) take(rule *Rule, q *Request, req *http1.Request, rep *http1.Reply, d Decision) toyAnswer {
	body := bodyOf(c.t, rep, c.last)
	a := toyAnswer{status: rep.Status, cache: LookupMiss, lookup: d.Lookup, tag: d.Tag, body: string(body)}
	for i := range rep.Len() {
		if rep.ConnectionLists(rep.Key(i)) || rep.ID(i) == http1.Connection {
			continue
		}
		a.fields = append(a.fields, fmt.Sprintf("%s: %s", rep.Key(i), rep.Value(i)))
	}
	key := req.MethodText + " " + string(req.Target)
	if Invalidates(q.Method, rep.Status) {
		delete(c.objects, "GET "+string(req.Target))
		delete(c.variants, "GET "+string(req.Target))
	}
	keeping, object := c.rules.Keep(rule, q, rep, Times{c.second(), c.second()}, false)
	switch {
	case c.denied, int64(len(body)) < c.smallest:
	case keeping.Never():
		if q.Cacheable() && Supersedes(rep.Status) {
			if _, old := c.find(req.MethodText, string(req.Target), req); c.variants[key] == nil || old != key {
				delete(c.objects, old)
			}
		}
	case object.Has(Varies):
		data, ok := AppendVaryData(nil, rep.Get(http1.Vary), &req.Fields)
		if !ok {
			break
		}
		v := Variant{Key: md5.Sum(append([]byte(key), data...)), ETag: string(rep.Get(http1.ETag)), Data: []string{string(data)}}
		c.variants[key] = AddVariant(c.variants[key], v)
		c.objects[key] = &toyObject{head: rep.Head, object: object}
		c.objects[string(v.Key[:])] = &toyObject{rep.Head, body, object}
	default:
		delete(c.variants, key)
		c.objects[key] = &toyObject{rep.Head, body, object}
	}
	return a
}

// refresh asks the origin about a stale object.
func (c *toy) refresh(rule *Rule, q *Request, req *http1.Request, d Decision, stored *toyObject) toyAnswer {
	old, _ := parseReply(c.t, string(stored.head))
	var out http1.Outgoing
	c.rules.Revalidation(&out, &req.Fields, &old.Fields, &stored.object)
	rep := c.send(req, strings.Split(strings.TrimSpace(string(out.Append(nil))), "\r\n"), func(id http1.Name) bool { return c.rules.ReplacedByRefresh(&stored.object, id) })
	outcome, tag, ok := c.rules.AfterRefresh(rule, q, &req.Fields, &old.Fields, &stored.object, rep, c.second())
	d.Tag = tag
	if !ok {
		return toyAnswer{status: 503, tag: d.Tag, cache: LookupMiss, lookup: d.Lookup}
	}
	switch outcome {
	case ServeOld:
		return c.serve(q, req, stored, d, false)
	case Again:
		return c.fetch(rule, q, req, d, stored)
	case Replace, PassOther:
		return c.take(rule, q, req, rep, d)
	}
	var merged http1.Outgoing
	Merge(&merged, &old.Fields, &rep.Fields)
	if c.rules.UpdateHeaders {
		stored.head = merged.Append([]byte("HTTP/1.0 " + strconv.Itoa(old.Status) + " OK\r\n"))
	}
	renewed, _ := parseReply(c.t, string(merged.Append([]byte("HTTP/1.0 200 OK\r\n"))))
	stored.object = c.rules.Renew(&stored.object, renewed, rep.Has(http1.Date), false, Times{c.second(), c.second()})
	if outcome == PassNotModified {
		a := c.take(rule, q, req, rep, d)
		a.tag = tag
		return a
	}
	return c.serve(q, req, stored, d, false)
}

// unreachable in place of a reply: nobody answers.
const unreachable = "-"
