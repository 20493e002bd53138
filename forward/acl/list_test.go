package acl

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// fixed is an ACL whose outcome is given. It counts how often it is asked.
type fixed struct {
	outcome Ternary
	asked   int
	six     bool
}

func (m *fixed) match(context.Context, *Facts) Ternary { m.asked++; return m.outcome }
func (m *fixed) namesIPv6() bool                       { return m.six }

// Outcomes by name: y yes, n no, u unknown, c asks for credentials; Y and S are
// yes and name IPv6.
var outcomes = map[byte]fixed{'y': {outcome: Yes}, 'n': {}, 'u': {outcome: Unknown}, 'm': {outcome: Missing}, 'c': {outcome: AskCredentials}, 'Y': {outcome: Yes, six: true}}

// listOf makes a list out of lines such as "allow y !n".
func listOf(text string) List {
	l := List{waits: true, admits: true}
	for _, line := range strings.Split(text, ";") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		r := rule{allow: words[0] == "allow"}
		for _, w := range words[1:] {
			name, negate := strings.CutPrefix(w, "!")
			m := outcomes[name[0]]
			r.cond.refs = append(r.cond.refs, ref{name: name, negate: negate, match: &m})
			r.admits6 = r.admits6 || m.six && !negate
		}
		l.rules = append(l.rules, r)
	}
	return l
}

// A list whose first line names everybody answers without going through its lines, and
// answers the same.
func TestSettledLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := ref{name: "all", match: &src{addrs{all: true}}}
		some := func(label string) (r rule) {
			r.allow, r.admits6 = rapid.Bool().Draw(t, label), rapid.Bool().Draw(t, label+" six")
			for range rapid.IntRange(0, 3).Draw(t, label+" refs") {
				next := all
				switch rapid.IntRange(0, 3).Draw(t, label+" ref") {
				case 0:
					next.negate = true
				case 1:
					next.match = &src{}
				case 2:
					next = ref{name: "every", match: &src{addrs{all: true}}}
				}
				r.cond.refs = append(r.cond.refs, next)
			}
			for _, ref := range r.cond.refs {
				r.admits6 = r.admits6 || ref.match.(*src).all && !ref.negate
			}
			return r
		}
		l := List{admits: rapid.Bool().Draw(t, "admits"), waits: rapid.Bool().Draw(t, "waits"), whenEmpty: Allowed}
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			l.rules = append(l.rules, some("line"))
		}
		settled := l
		settled.settle()
		f := &Facts{Told: &Told{}}
		if text := rapid.SampledFrom([]string{"192.0.2.1", "2001:db8::1", ""}).Draw(t, "client"); text != "" {
			f.Client = netip.MustParseAddr(text)
		}
		want, got := l.Check(t.Context(), f), settled.Check(t.Context(), f)
		want.fast = got.fast // of use while it is looked for
		if got != want {
			t.Fatalf("%+v, and line by line %+v", got, want)
		}
	})
}

func TestListCheck(t *testing.T) {
	const A, D, C = Allowed, Denied, Challenge
	for _, c := range []struct {
		list string
		want Verdict
		last string
	}{
		{"", D, ""},
		{"allow y", A, "y"},
		{"deny y", D, "y"},
		{"allow n", D, "n"}, // the opposite of the last line
		{"deny n", A, "n"},
		{"deny n; allow n2", D, "n2"},
		{"allow n; deny n2", A, "n2"},
		{"deny y; allow y2", D, "y"}, // the first line that matches
		{"allow y n; deny y2", D, "y2"},
		{"allow y n y2", D, "n"}, // a line stops at what does not hold
		{"allow !n", A, "n"},
		{"allow !y", D, "y"},
		{"allow u; deny y", D, "y"}, // unknown matches neither way
		{"allow !u; deny y", D, "y"},
		{"deny u", A, "u"},
		{"deny !u", A, "u"},
		{"allow c; allow y", C, "c"}, // credentials end the check
		{"allow n c; allow y", A, "y"},
		{"allow !c; allow y", C, "c"},
		{"deny c", C, "c"},
		{"allow m; deny y", D, "y"}, // what cannot be found out lets nobody in
		{"allow !m; deny y", D, "y"},
		{"deny m; allow y", D, "m"},
		{"deny !m; allow y", D, "m"},
		{"deny m n; allow y", A, "y"}, // the line does not hold whatever m is
	} {
		l := listOf(c.list)
		a := l.Check(t.Context(), &Facts{Client: netip.MustParseAddr("192.0.2.1")})
		if a.Verdict != c.want || a.Last != c.last {
			t.Errorf("%q: %v at %q, want %v at %q", c.list, a.Verdict, a.Last, c.want, c.last)
		}
	}
}

// A list that cannot wait passes over missing credentials.
func TestListWithoutWaiting(t *testing.T) {
	l := listOf("allow c; deny y")
	l.waits = false
	if a := l.Check(t.Context(), &Facts{}); a.Verdict != Denied || a.Last != "y" {
		t.Errorf("%+v", a)
	}
}

func TestListAdmitsIPv6OnlyByName(t *testing.T) {
	for _, c := range []struct {
		list     string
		want     Verdict
		ipv4Only bool
	}{
		{"allow Y", Allowed, false}, // src that names IPv6, or all
		{"allow y", Denied, true},   // anything else does not name it
		{"allow y; allow Y", Allowed, true},
		{"allow !n", Denied, true}, // src ... negated: 2.6 knew no such client
		{"allow Y y", Allowed, false},
		{"deny n", Denied, false}, // the default never admits
		{"deny y", Denied, false},
		{"deny Y; allow Y", Denied, false},
	} {
		l := listOf(c.list)
		six := l.Check(t.Context(), &Facts{Client: netip.MustParseAddr("2001:db8::1")})
		if six.Verdict != c.want || six.IPv4Only != c.ipv4Only {
			t.Errorf("%q: %+v, want %v, %v", c.list, six, c.want, c.ipv4Only)
		}
		l.admits = false // a list that decides about other things treats all alike
		four := l.Check(t.Context(), &Facts{Client: netip.MustParseAddr("192.0.2.1")})
		if six := l.Check(t.Context(), &Facts{Client: netip.MustParseAddr("2001:db8::1")}); six != four {
			t.Errorf("%q: %+v for IPv6, %+v for IPv4", c.list, six, four)
		}
	}
}

// Nothing behind the ACL that decides is looked at: no lookup is made in vain.
func TestListLooksNoFurther(t *testing.T) {
	asked := func(l List) (n []int) {
		l.Check(t.Context(), &Facts{})
		for _, r := range l.rules {
			for _, ref := range r.cond.refs {
				n = append(n, ref.match.(*fixed).asked)
			}
		}
		return n
	}
	for list, want := range map[string]string{
		"allow y y; allow y": "110", "allow n y; allow y y": "1011", "allow u y; deny !y y; allow y": "10101",
	} {
		var got strings.Builder
		for _, n := range asked(listOf(list)) {
			got.WriteByte(byte('0' + n))
		}
		if got.String() != want {
			t.Errorf("%q: asked %s, want %s", list, got.String(), want)
		}
	}
}

// The evaluation agrees with its definition read backwards: the verdict of a
// list is that of its first line if that matches, else that of the rest.
func TestListModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.Custom(func(t *rapid.T) string {
			words := rapid.SliceOfN(rapid.SampledFrom([]string{"y", "n", "u", "!y", "!n", "!u"}), 1, 3).Draw(t, "words")
			return rapid.SampledFrom([]string{"allow ", "deny "}).Draw(t, "verb") + strings.Join(words, " ")
		})
		lines := rapid.SliceOfN(line, 1, 5).Draw(t, "lines")
		want := strings.HasPrefix(lines[len(lines)-1], "deny")
		for i := len(lines) - 1; i >= 0; i-- {
			_, words, _ := strings.Cut(lines[i], " ")
			matches := true
			for _, w := range strings.Fields(words) {
				matches = matches && (w == "y" || w == "!n")
			}
			if matches {
				want = strings.HasPrefix(lines[i], "allow")
			}
		}
		l := listOf(strings.Join(lines, ";"))
		if got := l.Check(context.Background(), &Facts{Client: netip.IPv4Unspecified()}).Allowed(); got != want {
			t.Fatalf("%q: %v, want %v", lines, got, want)
		}
	})
}

// The trace has every list by its directive's name.
func TestListsHaveNames(t *testing.T) {
	set := load(t, "cache_peer p.test parent 3128 0\ncache_peer_access p.test deny all\ndelay_pools 2\ndelay_class 1 1\ndelay_class 2 1\n"+
		"delay_parameters 1 100/100\ndelay_parameters 2 100/100\ndelay_access 2 allow all\nhttp_access deny all\n")
	if len(set.Peers) != 1 || len(set.Delay) != 2 {
		t.Fatalf("%d peers, %d pools", len(set.Peers), len(set.Delay))
	}
	for got, want := range map[string]string{set.HTTPAccess.name: "http_access", set.Peers[0].name: "cache_peer_access p.test",
		set.Delay[0].name: "delay_access 1", set.Delay[1].name: "delay_access 2"} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
