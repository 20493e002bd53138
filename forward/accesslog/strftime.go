package accesslog

import (
	"strconv"
	"time"
)

// appendStrftime formats a time by C's strftime in the C locale, which is what
// %{...}tl and %{...}tg take. Conversions C does not know are copied.
func appendStrftime(dst []byte, format string, t time.Time) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			dst = append(dst, format[i])
			continue
		}
		i++
		if (format[i] == 'E' || format[i] == 'O') && i+1 < len(format) {
			i++ // alternative forms are the same in the C locale
		}
		dst = appendConversion(dst, format[i], t)
	}
	return dst
}

// layouts are the conversions that Go's formatter knows.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January",
	'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2",
	'F': "2006-01-02", 'H': "15", 'I': "03", 'm': "01", 'M': "04", 'p': "PM",
	'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'x': "01/02/06",
	'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST", 'P': "pm",
}

func appendConversion(dst []byte, c byte, t time.Time) []byte {
	if layout, ok := layouts[c]; ok {
		return t.AppendFormat(dst, layout)
	}
	year, week := t.ISOWeek()
	weekday := int64(t.Weekday())
	switch c {
	case 'n':
		return append(dst, '\n')
	case 't':
		return append(dst, '\t')
	case '%':
		return append(dst, '%')
	case 'C':
		return appendPadded(dst, int64(t.Year()/100), 2, '0')
	case 'g':
		return appendPadded(dst, int64(year%100), 2, '0')
	case 'G':
		return strconv.AppendInt(dst, int64(year), 10)
	case 'j':
		return appendPadded(dst, int64(t.YearDay()), 3, '0')
	case 'k':
		return appendPadded(dst, int64(t.Hour()), 2, ' ')
	case 'l':
		return appendPadded(dst, int64((t.Hour()+11)%12+1), 2, ' ')
	case 's':
		return strconv.AppendInt(dst, t.Unix(), 10)
	case 'u':
		return strconv.AppendInt(dst, (weekday+6)%7+1, 10)
	case 'w':
		return strconv.AppendInt(dst, weekday, 10)
	case 'U':
		return appendPadded(dst, (int64(t.YearDay())+6-weekday)/7, 2, '0')
	case 'W':
		return appendPadded(dst, (int64(t.YearDay())+6-(weekday+6)%7)/7, 2, '0')
	case 'V':
		return appendPadded(dst, int64(week), 2, '0')
	}
	return append(dst, '%', c)
}
