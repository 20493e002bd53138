package http1

import (
	"sync/atomic"
	"time"
)

// dateLayout is the one date format senders generate (RFC 9110 section 5.6.7).
const dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

// DateLen is the length of a date in bytes.
const DateLen = len(dateLayout)

// AppendDate appends a point in time as an HTTP date.
func AppendDate(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, dateLayout)
}

// DateCache formats the present second once for all who ask. It is safe for
// concurrent use; the zero value is ready.
type DateCache struct {
	last atomic.Pointer[cachedDate]
}

type cachedDate struct {
	second int64
	text   [DateLen]byte
}

// Append appends now as an HTTP date. It allocates once a second.
func (c *DateCache) Append(dst []byte, now time.Time) []byte {
	second := now.Unix()
	d := c.last.Load()
	if d == nil || d.second != second {
		d = &cachedDate{second: second}
		AppendDate(d.text[:0], now)
		c.last.Store(d)
	}
	return append(dst, d.text[:]...)
}

// dateLayouts are the formats a recipient must read; the last three are
// variants seen from old servers.
var dateLayouts = []string{
	dateLayout,
	"Monday, 02-Jan-06 15:04:05 GMT",
	"Mon Jan _2 15:04:05 2006",
	"Mon, 2 Jan 2006 15:04:05 GMT",
	"Mon, 02-Jan-2006 15:04:05 GMT",
	"Mon, 02-Jan-06 15:04:05 GMT",
}

// ParseDate reads an HTTP date in any of the formats of RFC 9110 section 5.6.7.
func ParseDate(b []byte) (time.Time, bool) {
	b = trimSpace(b)
	if t, ok := parseFixedDate(b); ok {
		return t, true
	}
	if len(b) == 0 || len(b) > 64 {
		return time.Time{}, false
	}
	s := string(b)
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

const monthNames = "JanFebMarAprMayJunJulAugSepOctNovDec"

// parseFixedDate reads dateLayout without allocating; it does not look at the
// name of the day.
func parseFixedDate(b []byte) (time.Time, bool) {
	if len(b) != DateLen || b[3] != ',' || !EqualFold(b[25:], " gmt") || b[19] != ':' || b[22] != ':' ||
		b[4] != ' ' || b[7] != ' ' || b[11] != ' ' || b[16] != ' ' {
		return time.Time{}, false
	}
	month := 0
	for month < 12 && string(b[8:11]) != monthNames[month*3:month*3+3] {
		month++
	}
	day, ok1 := digits(b[5:7])
	year, ok2 := digits(b[12:16])
	hour, ok3 := digits(b[17:19])
	minute, ok4 := digits(b[20:22])
	second, ok5 := digits(b[23:25])
	if month == 12 || !(ok1 && ok2 && ok3 && ok4 && ok5) || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month+1), day, hour, minute, second, 0, time.UTC), true
}

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if class[c]&isDigit == 0 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
