package freshness

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

const noon = 1_800_000_000

func rulesOf(t *testing.T, lines ...string) *Rules {
	t.Helper()
	return newToy(t, lines...).rules
}

// The verdict for every option of refresh_pattern and every directive of a client
// that can turn one.
func TestCheck(t *testing.T) {
	fresh := Object{Timestamp: noon, Expires: noon + 600, LastModified: None, Status: 200}
	modified := Object{Timestamp: noon, Expires: None, LastModified: noon - 1000, Status: 200}
	bare := Object{Timestamp: noon, Expires: None, LastModified: None, Status: 200}
	must := fresh
	must.Flags = NeverStale
	unchanging := fresh
	unchanging.Flags = Unchanging
	for _, c := range []struct {
		name    string
		lines   string
		object  Object
		request string
		age     int64
		stale   bool
		basis   Basis
		since   int64
	}{
		{"expiry", "", fresh, "", 599, false, ByExpiry, -1},
		{"expired", "", fresh, "", 600, true, ByExpiry, 0},
		{"percent", "", modified, "", 199, false, ByLastModified, -1},
		{"percent over", "", modified, "", 230, true, ByLastModified, 30},
		{"percent 50", "refresh_pattern . 0 50% 4320", modified, "", 499, false, ByLastModified, -1},
		{"max", "refresh_pattern . 0 50% 5", modified, "", 300, false, ByMaximum, -1},
		{"over max", "refresh_pattern . 0 50% 5", modified, "", 301, true, ByMaximum, 0},
		{"no minimum", "", bare, "", 0, true, ByMinimum, 0},
		{"minimum", "refresh_pattern . 10 20% 4320", bare, "", 599, false, ByMinimum, -1},
		{"minimum over", "refresh_pattern . 10 20% 4320", bare, "", 600, true, ByMinimum, 0},
		{"minimum and date", "refresh_pattern . 10 20% 4320", modified, "", 300, true, ByLastModified, 100},
		{"other pattern", "refresh_pattern /b 10 20% 4320", bare, "", 0, true, ByMinimum, 0},
		{"first pattern", "refresh_pattern -i /A$ 10 20% 4320\nrefresh_pattern . 0 20% 4320", bare, "", 9, false, ByMinimum, -1},
		{"override-expire", "refresh_pattern . 60 20% 4320 override-expire", fresh, "", 3599, false, ByOverride, 2999},
		{"override-expire over", "refresh_pattern . 60 20% 4320 override-expire", fresh, "", 3600, true, ByExpiry, 3000},
		{"override-expire, must-revalidate", "refresh_pattern . 60 20% 4320 override-expire", must, "", 700, true, ByExpiry, 100},
		{"ignore-must-revalidate", "refresh_pattern . 60 20% 4320 override-expire ignore-must-revalidate", must, "", 700, false, ByOverride, 100},
		{"override-lastmod", "refresh_pattern . 60 20% 4320 override-lastmod", modified, "", 3000, false, ByOverride, 2800},
		{"override-lastmod is no override-expire", "refresh_pattern . 60 20% 4320 override-lastmod", fresh, "", 700, true, ByExpiry, 100},
		{"max-age", "", fresh, "Cache-Control: max-age=10", 10, false, ByExpiry, -1},
		{"max-age over", "", fresh, "Cache-Control: max-age=10", 11, true, ByRequestAge, -1},
		{"max-age=0 at once", "", fresh, "Cache-Control: max-age=0", 0, false, ByExpiry, -1},
		{"max-age=0", "", fresh, "Cache-Control: max-age=0", 1, true, ByRequestAge, -1},
		{"max-age=0, immutable", "", unchanging, "Cache-Control: max-age=0", 1, false, ByExpiry, -1},
		{"max-age=0, immutable, stale", "", unchanging, "Cache-Control: max-age=0", 601, true, ByRequestAge, 1},
		{"max-age=0, ignore-reload", "refresh_pattern . 0 20% 4320 ignore-reload", fresh, "Cache-Control: max-age=0", 1, false, ByExpiry, -1},
		{"max-age=5, ignore-reload", "refresh_pattern . 0 20% 4320 ignore-reload", fresh, "Cache-Control: max-age=5", 6, true, ByRequestAge, -1},
		{"min-fresh", "", fresh, "Cache-Control: min-fresh=1000", 10, false, ByExpiry, -1},
		{"max-stale", "", fresh, "Cache-Control: max-stale=20", 619, false, ByRequestMaxStale, 19},
		{"max-stale over", "", fresh, "Cache-Control: max-stale=20", 620, true, ByExpiry, 20},
		{"max-stale for good", "", fresh, "Cache-Control: max-stale", 99999, false, ByRequestMaxStale, 99399},
		{"max-stale, must-revalidate", "", must, "Cache-Control: max-stale", 601, true, ByExpiry, 1},
		{"reload", "", fresh, "Cache-Control: no-cache", 1, true, ByReload, -1},
		{"reload, old word", "", fresh, "Pragma: no-cache", 1, true, ByReload, -1},
		{"ignore-reload", "refresh_pattern . 0 20% 4320 ignore-reload", fresh, "Pragma: no-cache", 1, false, ByExpiry, -1},
		{"reload-into-ims", "refresh_pattern . 0 20% 4320 reload-into-ims", fresh, "Pragma: no-cache", 1, true, ByReloadIntoIMS, -1},
		{"reload_into_ims", "reload_into_ims on", fresh, "Pragma: no-cache", 1, true, ByReloadIntoIMS, -1},
		{"refresh-ims", "refresh_pattern . 0 20% 4320 refresh-ims", fresh, `If-None-Match: "e"`, 1, true, ByRefreshIMS, -1},
		{"refresh-ims, plain", "refresh_pattern . 0 20% 4320 refresh-ims", fresh, "", 1, false, ByExpiry, -1},
	} {
		r := rulesOf(t, c.lines)
		fields := c.request
		if fields != "" {
			fields += "\r\n"
		}
		q := r.ReadRequest(requestWith(t, "GET", fields), false, Port{})
		want := Verdict{c.stale, c.basis, c.since}
		if got := r.Check(r.Of([]byte("http://o.test/a")), &c.object, &q, noon+c.age); got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
		url := func() []byte { return []byte("http://o.test/a") }
		if got, want := r.Lasts(&c.object, noon+c.age, url), !r.Check(r.Of(url()), &c.object, nil, noon+c.age).Stale; got != want {
			t.Errorf("%s: lasts %v, want %v", c.name, got, want)
		}
	}
}

// A slow reading of the rules agrees, and freshness once lost does not come back.
func TestCheckAgainstModel(t *testing.T) {
	r := rulesOf(t)
	rapid.Check(t, func(t *rapid.T) {
		rule := builtin
		rule.Min = rapid.Int64Range(-100, 5000).Draw(t, "min")
		rule.Max = rapid.Int64Range(0, 1<<31).Draw(t, "max")
		rule.Percent = rapid.Int64Range(0, 1000).Draw(t, "percent")
		o := Object{Timestamp: noon, Expires: None, LastModified: None}
		if rapid.Bool().Draw(t, "dated") {
			o.LastModified = noon - rapid.Int64Range(-1000, noon).Draw(t, "modified")
		}
		age := rapid.Int64Range(0, 1<<32).Draw(t, "age")
		got := r.Check(&rule, &o, nil, noon+age)
		if want := modelFresh(&rule, &o, age); got.Stale == want {
			t.Fatalf("%+v %+v age %d: stale %v", rule, o, age, got.Stale)
		}
		if later := r.Check(&rule, &o, nil, noon+age+1); got.Stale && !later.Stale {
			t.Fatalf("%+v %+v: stale at %d, fresh a second later", rule, o, age)
		}
	})
}

func modelFresh(rule *Rule, o *Object, age int64) bool {
	if age > rule.Max {
		return false
	}
	if o.LastModified == None || o.Timestamp <= o.LastModified {
		return age < rule.Min
	}
	whole := new(big.Int).Mul(big.NewInt(o.Timestamp-o.LastModified), big.NewInt(rule.Percent))
	whole.Div(whole, big.NewInt(100))
	return big.NewInt(age).Cmp(whole) < 0
}

func TestMayFailStale(t *testing.T) {
	o := Object{Timestamp: noon, Expires: noon + 10, LastModified: None, StaleIfError: -1}
	must, long := o, o
	must.Flags, long.StaleIfError = NeverStale, 30*86400
	for _, c := range []struct {
		lines  string
		object Object
		age    int64
		want   bool
	}{
		{"", o, 100, true},
		{"", o, 7*86400 + 10, true},
		{"", o, 7*86400 + 11, false},
		{"", long, 8 * 86400, true},
		{"", must, 11, false},
		{"", must, 5, true},
		{"max_stale 1 minute", o, 70, true},
		{"max_stale 1 minute", o, 71, false},
		{"max_stale 1 minute\nrefresh_pattern . 0 20% 4320 max-stale=2", o, 130, true},
		{"refresh_pattern . 0 20% 4320 ignore-must-revalidate", must, 11, true},
	} {
		r := rulesOf(t, c.lines)
		if got := r.MayFailStale(r.Of([]byte("http://o.test/a")), &c.object, noon+c.age); got != c.want {
			t.Errorf("%q, %+v after %d s: %v", c.lines, c.object, c.age, got)
		}
	}
}
