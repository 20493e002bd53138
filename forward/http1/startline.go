package http1

import "strconv"

// AppendStatusLine appends "HTTP/1.0 200 OK" and a line end, with the proxy's
// own phrase; minor is the minor number of the version, 0 or 1. The code takes
// three characters at least.
func AppendStatusLine(dst []byte, minor, status int) []byte {
	if uint(status) < uint(len(reasons)) && reasons[status] != "" {
		return append(dst, statusLines[minor&1][status]...)
	}
	return appendStatusLine(dst, minor, status)
}

// statusLines are the lines of every status that has a phrase.
var statusLines = func() (lines [2][len(reasons)]string) {
	for minor := range lines {
		for status, reason := range reasons {
			if reason == "" {
				continue
			}
			lines[minor][status] = string(appendStatusLine(nil, minor, status))
		}
	}
	return lines
}()

func appendStatusLine(dst []byte, minor, status int) []byte {
	dst = append(dst, "HTTP/1."...)
	dst = append(dst, '0'+byte(minor&1), ' ')
	for limit := 100; limit > 1 && status < limit; limit /= 10 {
		dst = append(dst, ' ')
	}
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, Reason(status)...)
	return append(dst, "\r\n"...)
}

// AppendRequestLine appends "METHOD target HTTP/1.0" and a line end. The target
// comes from URL.AppendTarget, AppendCanonical or AppendAuthority and holds no
// line end.
func AppendRequestLine(dst []byte, method string, target []byte, minor int) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	dst = append(dst, " HTTP/1."...)
	return append(dst, '0'+byte(minor&1), '\r', '\n')
}
