package http1

import "bytes"

// Reply is the head of an origin's answer. The zero value is ready; reuse it.
type Reply struct {
	// Major and Minor are the origin's version; 0 and 9 when the bytes were no
	// HTTP at all and are all body.
	Major, Minor int
	// Status is the status code, 0 to 999 without 600 and 601, which 2.6 keeps
	// for heads it cannot parse; 200 for an answer without a head. A code below 100, also one
	// that is no number (0), is passed on as 2.6 does, one above 601 without its body.
	Status int
	Fields
	// Head is all that was received: status line, fields and empty line.
	Head []byte
	// LineLen is the length in bytes of the status line with its line feed.
	LineLen int
	// Truncated says that the connection ended between two lines of the head;
	// what there is of it is used, as in 2.6, but must not be stored.
	Truncated bool
	// Fault says why Parse answered Failed.
	Fault Fault

	seen     int
	doubtful bool // set by Body: framed by a coding where there can be none
}

// Reset forgets the reply and keeps its storage.
func (r *Reply) Reset() {
	r.Fields.reset()
	r.Major, r.Minor, r.Status = 0, 9, 0
	r.Head, r.LineLen, r.Truncated, r.Fault, r.seen, r.doubtful = nil, 0, false, NoFault, 0, false
}

// Recall makes r the reply that known is, which was parsed from the same bytes as text,
// and is not changed.
func (r *Reply) Recall(known *Reply, text []byte) {
	list, repaired, options := r.list, r.repaired, r.options
	*r = *known
	r.list, r.options = append(list[:0], known.list...), append(options[:0], known.options...)
	r.repaired = repaired[:0]
	if r.text = text; len(known.repaired) > 0 {
		r.repaired = append(r.repaired, known.repaired...)
		r.text = r.repaired
	}
	r.Head = text
}

const replyPrefix = "HTTP/"

// Parse reads a reply head from the start of buf; eof says that no more bytes
// will come. It works like Request.Parse. Bytes that do not begin with "HTTP/"
// are the body of an answer without a head: Complete with n 0, version 0.9 and
// status 200 (fact "A reply that is not HTTP at all is wrapped into a 200"). A
// Content-Length that is no number is removed: whoever it is passed on to could take
// it for one.
func (r *Reply) Parse(buf []byte, eof bool, o *Options) (n int, state State) {
	if len(buf) >= len(replyPrefix) && string(buf[:len(replyPrefix)]) != replyPrefix {
		r.Major, r.Minor, r.Status = 0, 9, 200
		return 0, Complete
	}
	end := headEnd(buf, &r.seen)
	switch {
	case len(buf) < len(replyPrefix) && (eof || end > 0):
		return r.fail(InvalidReply)
	case len(buf) < len(replyPrefix):
		return 0, NeedMore
	case end > o.maxHead(), end == 0 && len(buf) > o.maxHead():
		return r.fail(ReplyTooLarge)
	case end == 0 && eof:
		if len(buf) == 0 || buf[len(buf)-1] != '\n' {
			return r.fail(InvalidReply)
		}
		end, r.Truncated = len(buf), true
	case end == 0:
		return 0, NeedMore
	}
	line := bytes.IndexByte(buf, '\n')
	r.Head, r.LineLen = buf[:end:end], line+1
	if !r.parseLine(buf[:line]) {
		return r.fail(InvalidReply)
	}
	r.largestLength = o.Relaxed
	if r.Fields.parse(r.Head, r.LineLen, o.Relaxed) != NoFault {
		return r.fail(InvalidReply)
	}
	if r.lengthState == lengthBad {
		r.Delete(ContentLength) // the body ends with the connection, or where a store knows
	}
	return end, Complete
}

// Persistent is Fields.Persistent for an origin: never for one that framed its
// body in two ways, since nobody knows where its next message begins, nor for one
// that announced another answer with a 1xx.
func (r *Reply) Persistent(major, minor int, http11 bool) bool {
	return !r.lengthsDiffer && !r.doubtful && r.Status >= 200 && r.Fields.Persistent(major, minor, http11)
}

func (r *Reply) fail(f Fault) (int, State) {
	r.Fault = f
	return 0, Failed
}

// parseLine reads "HTTP/1.1 200 whatever". A missing minor number is 0; the
// reason is not looked at.
func (r *Reply) parseLine(line []byte) bool {
	line = trimSpace(line)
	major, rest, ok := parseNumber(line[len(replyPrefix):])
	if !ok {
		return false
	}
	r.Major, r.Minor = major, 0
	if len(rest) > 0 && rest[0] == '.' {
		if minor, after, ok := parseNumber(rest[1:]); ok {
			r.Minor, rest = minor, after
		}
	}
	blank := bytes.IndexByte(rest, ' ')
	if blank < 0 {
		return false
	}
	rest = rest[blank:]
	for len(rest) > 0 && class[rest[0]]&isBlank != 0 {
		rest = rest[1:]
	}
	if len(rest) > 0 && (rest[0] == '-' || rest[0] == '+') {
		return false
	}
	if len(rest) > 0 && class[rest[0]]&isDigit == 0 {
		return true // no number: status 0
	}
	status, _, ok := parseNumber(rest)
	r.Status = status
	return ok && status <= 999 && status != 600 && status != 601
}
