package auth

import (
	"strings"
	"sync"
	"testing"
)

var ntlmAnswers = []string{"YR T1=TT CHAL", "KK T3=AF DOM\\bob", "KK NA=NA no way", "YR BH=BH broken", "YR AF=AF fast", "YR =TT CHAL",
	"YR new=TT token=CHAL2", "KK new=OK user=DOM%5Czoe", "YR err=ERR message=no", "YR junk=what", "KK evil=AF a\x01b"}

// seq plays the fields one after another on one connection. Each outcome is the user,
// or the challenges.
func (r *rig) seq(c *Conn, fields ...string) string {
	var got []string
	for _, f := range fields {
		if f == "none" {
			f = ""
		}
		l := r.check(f, c)
		if l.State == Accepted {
			got = append(got, "user "+l.User)
			if info, _ := r.Info(l); info != "" {
				got[len(got)-1] += " (" + info + ")"
			}
			continue
		}
		if l.User != "" {
			r.t.Errorf("%q: refused as %q", f, l.User)
		}
		got = append(got, strings.Join(r.Challenges(l), " + "))
	}
	return strings.Join(got, "; ")
}

func TestNTLM(t *testing.T) {
	for name, c := range map[string]struct{ fields, want, asked string }{
		"handshake":      {"NTLM T1; NTLM T3; none; NTLM T3; NTLM T1; none", "NTLM CHAL; user DOM\\bob; user DOM\\bob; user DOM\\bob; user DOM\\bob; user DOM\\bob", "YR T1|KK T3"},
		"one step":       {"NTLM AF; none", "user fast; user fast", "YR AF"},
		"refused":        {"NTLM T1; NTLM NA; none; NTLM T1; NTLM T3", "NTLM CHAL; NTLM; NTLM; NTLM CHAL; user DOM\\bob", "YR T1|KK NA|YR T1|KK T3"},
		"broken":         {"NTLM BH; none", "NTLM; NTLM", "YR BH"},
		"nothing said":   {"NTLM", "NTLM CHAL", "YR "},
		"interrupted":    {"NTLM T1; none; NTLM T3; NTLM T1", "NTLM CHAL; NTLM; NTLM; NTLM CHAL", "YR T1|YR T3|YR T1"},
		"newer dialect":  {"NTLM new; NTLM new; none", "NTLM CHAL2; user DOM\\zoe; user DOM\\zoe", "YR new|KK new"},
		"newer refusal":  {"NTLM err; none", "NTLM; NTLM", "YR err"},
		"garbage":        {"NTLM junk; none", "NTLM; NTLM", "YR junk"},
		"a name of none": {"NTLM T1; NTLM evil; none", "NTLM CHAL; NTLM; NTLM", "YR T1|KK evil"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil, "auth_param ntlm children 1", ntlmAnswers...)
			c2 := new(Conn)
			got := r.seq(c2, strings.Split(c.fields, "; ")...)
			if q := r.questions(); got != c.want || q != c.asked {
				t.Errorf("%s, asked %s\nwant %s, asked %s", got, q, c.want, c.asked)
			}
			c2.Close()
			if s := r.stop[0].Stats(); s.Children[0].Reserved {
				t.Error("the helper is still reserved")
			}
		})
	}
}

func TestNegotiate(t *testing.T) {
	r := newRig(t, nil, "auth_param negotiate children 1", "YR T1=TT CHAL", "KK T3=AF FINAL bob@REALM", "KK NA=NA last no way", "YR new=OK token=T user=bob@R")
	for fields, want := range map[string]string{
		"Negotiate T1; Negotiate T3; none": "Negotiate CHAL; user bob@REALM (Negotiate FINAL); user bob@REALM",
		"Negotiate T1; Negotiate NA":       "Negotiate CHAL; Negotiate + Negotiate last",
		"Negotiate new; none":              "user bob@R (Negotiate T); user bob@R",
	} {
		if got := r.seq(new(Conn), strings.Split(fields, "; ")...); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
}

// Schemes are offered in the order of the file, but in the middle of a handshake only
// what goes on with it.
func TestSeveralSchemes(t *testing.T) {
	r := newRig(t, nil, "auth_param basic realm r\nauth_param ntlm children 1\nauth_param negotiate children 1", append(ntlmAnswers, "bob secret=OK")...)
	const all = `Basic realm="r" + NTLM + Negotiate`
	for fields, want := range map[string]string{
		"none":                  all,
		"NTLM T1; NTLM NA":      "NTLM CHAL; " + all,
		"NTLM T1; none":         "NTLM CHAL; " + all,
		"NTLM T1; Negotiate T1": "NTLM CHAL; Negotiate CHAL",
		"NTLM T1; " + encoded("bob:secret") + "; none": "NTLM CHAL; user bob; " + all,
	} {
		if got := r.seq(new(Conn), strings.Split(fields, "; ")...); got != want {
			t.Errorf("%s: %s, want %s", fields, got, want)
		}
	}
	if l := r.check("NTLM T1", nil); l.State != Needed {
		t.Errorf("a handshake without a connection: %+v", l)
	}
}

// Handshakes of many connections at once never get each other's answers.
func TestHandshakesDoNotMix(t *testing.T) {
	var answers []string
	for c := 'a'; c <= 'z'; c++ {
		answers = append(answers, "YR "+string(c)+"=TT c"+string(c), "KK "+string(c)+"=AF user"+string(c))
	}
	r := newRig(t, nil, "auth_param ntlm children 3", answers...)
	var wg sync.WaitGroup
	for c := 'a'; c <= 'z'; c++ {
		wg.Go(func() {
			name := string(c)
			for range 10 {
				conn := new(Conn)
				if got := r.seq(conn, "NTLM "+name, "NTLM "+name, "none"); got != "NTLM c"+name+"; user user"+name+"; user user"+name {
					t.Error(got)
				}
				conn.Close()
			}
		})
	}
	wg.Wait()
}
