package acl

import (
	"context"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

func TestToldAnd(t *testing.T) {
	user, tagged := &Told{AuthUser: "bob"}, &Told{User: "ext", Password: "secret", Tag: "t", Message: "m", Log: "l"}
	for _, c := range []struct {
		before, later *Told
		want          Told
		same          *Told // nothing was to be made
	}{
		{nil, user, *user, user},
		{user, nil, *user, user},
		{user, user, *user, user},
		{user, &Told{AuthUser: "bob"}, *user, user},
		{user, tagged, Told{"bob", "ext", "secret", "l", "m", "t"}, nil},
		{tagged, &Told{Tag: "u", Password: "other"}, Told{"", "ext", "other", "l", "m", "u"}, nil},
	} {
		got := c.before.And(c.later)
		if *got != c.want || c.same != nil && got != c.same {
			t.Errorf("%+v and %+v: %+v", c.before, c.later, got)
		}
	}
	if *user != (Told{AuthUser: "bob"}) || (*Told)(nil).And(nil) != nil {
		t.Error("what stands for other requests was changed")
	}
	if (*Told)(nil).Name() != "" || user.Name() != "bob" || tagged.Name() != "ext" || user.And(tagged).Name() != "bob" {
		t.Error("names")
	}
}

// helper answers by the name of the helper asked, and notes whom it was asked about.
type helper struct {
	answers map[string]*Told
	asked   []string
	// remembers is what was told before, nil for a no.
	remembers map[string]*Told
}

func (h *helper) Match(_ context.Context, use *conf.ExternalUse, _ *Facts, known *Told) (Ternary, *Told) {
	h.asked = append(h.asked, use.Type.Name+" about "+known.Name())
	said := h.answers[use.Type.Name]
	return yes(said != nil), said
}

func (h *helper) Remembered(_ context.Context, use *conf.ExternalUse, _ *Facts, known *Told) (Ternary, *Told) {
	said, ok := h.remembers[use.Type.Name]
	if !ok {
		return Unknown, nil
	}
	return yes(said != nil), said
}

// Where 2.6 cannot wait, only what a helper has told another list counts: what is not
// known matches neither way.
func TestListsThatDoNotAskHelpers(t *testing.T) {
	gold := &conf.ACL{Name: "gold", Type: conf.ACLExternal, External: &conf.ExternalUse{Type: &conf.ExternalACL{Name: "class"}}}
	cfg := &conf.Config{}
	cfg.MissAccess = conf.AccessList{{ACLs: []conf.ACLRef{{ACL: gold}}}}
	cfg.LogAccess = conf.AccessList{{ACLs: []conf.ACLRef{{ACL: gold, Negate: true}}}}
	cfg.TCPOutgoingTOS = []conf.TOSRule{{TOS: 4, ACLs: []conf.ACLRef{{ACL: gold}}}}
	h := &helper{answers: map[string]*Told{"class": {User: "bob"}}, remembers: map[string]*Told{}}
	s, err := Compile(cfg, Sources{External: h})
	if err != nil {
		t.Fatal(err)
	}
	f := facts(t, "GET http://a.test/ HTTP/1.0")
	if !s.MissAccess.Check(t.Context(), f).Allowed() || !s.LogAccess.Check(t.Context(), f).Allowed() || s.OutgoingTOS(t.Context(), f) != 0 {
		t.Error("what was never asked has matched")
	}
	h.remembers["class"] = &Told{User: "bob"}
	a := s.MissAccess.Check(t.Context(), f)
	if a.Allowed() || a.Told.Name() != "bob" || !s.LogAccess.Check(t.Context(), f).Allowed() || s.OutgoingTOS(t.Context(), f) != 4 {
		t.Errorf("what is remembered has not matched: %+v", a)
	}
	h.remembers["class"] = nil
	if !s.MissAccess.Check(t.Context(), f).Allowed() || s.LogAccess.Check(t.Context(), f).Allowed() {
		t.Error("a remembered no counts as another")
	}
	if len(h.asked) != 0 {
		t.Errorf("asked %q", h.asked)
	}
}

// What helpers say goes with the answer, on lines that did not match too, and is
// there for the ACLs that follow in the same list.
func TestAnswerTellsWhatHelpersSaid(t *testing.T) {
	use := func(name string) *conf.ACL {
		return &conf.ACL{Name: name, Type: conf.ACLExternal, External: &conf.ExternalUse{Type: &conf.ExternalACL{Name: name}}}
	}
	bob := &conf.ACL{Name: "bob", Type: conf.ACLExtUser, Users: conf.UserList{Names: []string{"bob"}}}
	never := &conf.ACL{Name: "never", Type: conf.ACLMyIP}
	cfg := &conf.Config{}
	cfg.HTTPAccess = conf.AccessList{
		{Allow: true, ACLs: []conf.ACLRef{{ACL: bob}}}, // nobody is named yet
		{Allow: true, ACLs: []conf.ACLRef{{ACL: use("login")}, {ACL: never}}},
		{Allow: true, ACLs: []conf.ACLRef{{ACL: use("class")}, {ACL: bob}}},
	}
	h := &helper{answers: map[string]*Told{"login": {User: "bob", Log: "one"}, "class": {Tag: "gold", Log: "two"}}}
	s, err := Compile(cfg, Sources{External: h})
	if err != nil {
		t.Fatal(err)
	}
	f := facts(t, "GET http://a.test/ HTTP/1.0")
	a := s.HTTPAccess.Check(t.Context(), f)
	if !a.Allowed() || a.Told == nil || *a.Told != (Told{User: "bob", Log: "two", Tag: "gold"}) {
		t.Errorf("%+v %+v", a, a.Told)
	}
	if f.Told != nil {
		t.Error("the facts were changed by a check")
	}
	if len(h.asked) != 2 || h.asked[0] != "login about " || h.asked[1] != "class about bob" {
		t.Errorf("asked %q", h.asked)
	}
	f.Told = a.Told
	if a := s.HTTPAccess.Check(t.Context(), f); !a.Allowed() || a.Last != "bob" || a.Told != f.Told || len(h.asked) != 2 {
		t.Errorf("the second time: %+v", a)
	}
	if a := s.MissAccess.Check(t.Context(), f); a.Told != f.Told {
		t.Error("an empty list forgot what was told")
	}
}
