package acl

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// time: the weekday and the minute of local time, both ends included.
type weekly struct {
	specs []conf.TimeSpec
	now   func() time.Time
}

func (m *weekly) match(context.Context, *Facts) Ternary {
	now := m.now()
	day := uint8(1) << now.Weekday()
	minute := now.Hour()*60 + now.Minute()
	for i := range m.specs {
		s := &m.specs[i]
		if s.Days&day != 0 && s.Start <= minute && minute <= s.Stop {
			return Yes
		}
	}
	return No
}
