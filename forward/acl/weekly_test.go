package acl

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"pgregory.net/rapid"
)

// timed is the access a configuration gives at a moment.
func timed(t *testing.T, values string) func(time.Time) bool {
	t.Helper()
	set := load(t, "acl x time "+values+"\nhttp_access allow x\n")
	m := set.HTTPAccess.rules[0].cond.refs[0].match.(*weekly)
	return func(now time.Time) bool {
		at := weekly{m.specs, func() time.Time { return now }}
		return at.match(t.Context(), nil) == Yes
	}
}

// Both ends are minutes that belong to the interval, to their last nanosecond,
// and a day ends where the next one's letter begins to count. 2026-11-22 is a
// Sunday.
func TestTimeAtItsBoundaries(t *testing.T) {
	for _, c := range []struct {
		values string
		at     string // 2 Jan 15:04:05.999999999 of 2026
		want   bool
	}{
		{"09:00-17:00", "23 Nov 08:59:59.999999999", false},
		{"09:00-17:00", "23 Nov 09:00:00", true},
		{"09:00-17:00", "23 Nov 17:00:59.999999999", true},
		{"09:00-17:00", "23 Nov 17:01:00", false},
		{"12:00-12:00", "23 Nov 12:00:30", true},
		{"12:00-12:00", "23 Nov 12:01:00", false},
		{"22:00-24:00", "23 Nov 23:59:59.999999999", true},
		{"22:00-24:00", "24 Nov 00:00:00", false}, // 24:00 is no minute of the next day
		{"00:00-06:00", "23 Nov 23:59:59", false},
		{"00:00-06:00", "24 Nov 00:00:00", true},
		{"S", "21 Nov 23:59:59.999999999", false},
		{"S", "22 Nov 00:00:00", true},
		{"S", "22 Nov 23:59:59.999999999", true},
		{"S", "23 Nov 00:00:00", false},
		{"A", "21 Nov 23:59:59", true},
		{"A", "22 Nov 00:00:00", false},
		{"D", "20 Nov 23:59:59", true}, // Friday
		{"D", "21 Nov 00:00:00", false},
		{"D", "23 Nov 00:00:00", true},
		{"D", "22 Nov 23:59:59", false},
		{"H 10:00-11:00", "26 Nov 10:30:00", true},
		{"H 10:00-11:00", "24 Nov 10:30:00", false}, // T is Tuesday alone
		{"M 10:00-11:00 F 12:00-13:00", "23 Nov 10:30:00", true},
		{"M 10:00-11:00 F 12:00-13:00", "23 Nov 12:30:00", false}, // each day has its own hours
		{"M 10:00-11:00 F 12:00-13:00", "27 Nov 12:30:00", true},
		{"M 10:00-11:00 12:00-13:00", "24 Nov 12:30:00", true}, // hours without letters are of every day
		{"22:00-24:00 00:00-06:00", "24 Nov 00:00:00", true},   // over midnight
		{"M 22:00-24:00 T 00:00-06:00", "25 Nov 00:00:00", false},
	} {
		at, err := time.Parse("2 Jan 15:04:05.999999999 2006", c.at+" 2026")
		if err != nil {
			t.Fatal(err)
		}
		if got := timed(t, c.values)(at); got != c.want {
			t.Errorf("%s at %s: %v", c.values, c.at, got)
		}
	}
}

// The clock's own zone is read: a week of minutes in zones far apart agrees with
// counting minutes since Sunday.
func TestTimeModel(t *testing.T) {
	sunday := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		offset := rapid.IntRange(-12*60, 14*60).Draw(t, "minutes east")
		minute := rapid.IntRange(0, 7*24*60-1).Draw(t, "minute of the week")
		zone := time.FixedZone(fmt.Sprint(offset), offset*60)
		now := sunday.Add(time.Duration(minute-offset) * time.Minute).In(zone)
		var specs []conf.TimeSpec
		want := No
		for range rapid.IntRange(1, 3).Draw(t, "n") {
			s := conf.TimeSpec{Days: uint8(rapid.IntRange(1, 0x7f).Draw(t, "days")), Start: rapid.IntRange(0, 1439).Draw(t, "start")}
			s.Stop = rapid.IntRange(s.Start, 1440).Draw(t, "stop")
			specs = append(specs, s)
			day := minute / 1440
			from, to := day*1440+s.Start, day*1440+s.Stop
			if s.Days>>day&1 == 1 && from <= minute && minute <= to {
				want = Yes
			}
		}
		m := weekly{specs, func() time.Time { return now }}
		if got := m.match(context.Background(), nil); got != want {
			t.Fatalf("%+v at %v: %d, want %d", specs, now, got, want)
		}
	})
}
