package http1

import "bytes"

// Request is the head of a request. The zero value is ready; reuse it.
type Request struct {
	// Method is the method's number, MethodText its spelling for the wire and
	// the log.
	Method     Method
	MethodText string
	// Target is what stands between method and version, without the blanks
	// before it; there may be blanks in it (uri_whitespace decides).
	Target []byte
	// Major and Minor are the client's version: 0 and 9 when it named none.
	Major, Minor int
	Fields
	// Head is all that was received: request line, fields and empty line.
	Head []byte
	// LineLen is the length in bytes of the request line with its line feed.
	LineLen int
	// Fault says why Parse answered Failed.
	Fault Fault

	seen int
}

// Reset forgets the request and keeps its storage.
func (r *Request) Reset() {
	r.Fields.reset()
	r.Method, r.MethodText, r.Target = NoMethod, "NONE", nil
	r.Major, r.Minor = 0, 9
	r.Head, r.LineLen, r.Fault, r.seen = nil, 0, NoFault, 0
}

// SkipSpace counts the bytes of white space at the start of buf, which 2.6
// ignores before a request. Drop them before calling Parse.
func SkipSpace(buf []byte) int {
	n := 0
	for n < len(buf) && class[buf[n]]&isSpace != 0 {
		n++
	}
	return n
}

// Parse reads a request head from the start of buf. While it answers NeedMore,
// call it again with the same bytes and more behind them; call Reset before
// the next request. n is the number of bytes the head took. After Failed,
// Method, Target, Major and Minor are set as far as they were understood.
func (r *Request) Parse(buf []byte, o *Options) (n int, state State) {
	line := bytes.IndexByte(buf, '\n')
	if line < 0 {
		return r.incomplete(buf, o)
	}
	r.MethodText, r.Minor = "NONE", 9
	version := lastWord(buf[:line])
	named := version > 0 && hasPrefixFold(buf[version:line], "http/")
	end := line + 1
	if named {
		if end = headEnd(buf, &r.seen); end == 0 {
			return r.incomplete(buf, o)
		}
	}
	r.Head, r.LineLen = buf[:end:end], line+1
	if named {
		var ok bool
		r.Major, r.Minor, ok = parseVersion(buf[version+len("HTTP/") : line])
		if !ok {
			r.Major, r.Minor = 0, 0
			return r.fail(InvalidVersion)
		}
	}
	if end >= o.maxHead() {
		return r.fail(HeadTooLarge)
	}
	if fault := r.parseLine(buf[:line], version, named, o); fault != NoFault {
		return r.fail(fault)
	}
	if r.Major >= 1 {
		if fault := r.Fields.parse(r.Head, r.LineLen, o.Relaxed); fault != NoFault {
			return r.fail(fault)
		}
		if r.Count(Host) > 1 {
			return r.fail(InvalidFields)
		}
		if r.lengthState == lengthBad {
			return r.fail(InvalidLength)
		}
	}
	return end, Complete
}

func (r *Request) fail(f Fault) (int, State) {
	r.Fault = f
	return len(r.Head), Failed
}

func (r *Request) incomplete(buf []byte, o *Options) (int, State) {
	if len(buf) >= o.maxHead() {
		r.Head = buf
		return r.fail(HeadEndless)
	}
	return 0, NeedMore
}

// lastWord is the index of the last word of a line.
func lastWord(line []byte) int {
	end := len(line)
	for end > 0 && class[line[end-1]]&isSpace != 0 {
		end--
	}
	for end > 0 && class[line[end-1]]&isSpace == 0 {
		end--
	}
	return end
}

// parseLine splits the request line (without its line feed) into method and
// target. version is the index of the last word, which is a version if named.
func (r *Request) parseLine(line []byte, version int, named bool, o *Options) Fault {
	word := 0
	for word < len(line) && class[line[word]]&isBlank == 0 {
		word++
	}
	nul := bytes.IndexByte(line[:word], 0) // ends the line for 2.6; refused in any case
	if nul == 0 {
		return InvalidRequest
	} else if nul > 0 {
		word = nul
	}
	method := o.Methods.Lookup(line[:word])
	if method == NoMethod || word == len(line) {
		return UnsupportedMethod
	}
	r.Method, r.MethodText = method, o.Methods.Text(method)
	if word+1 >= len(line) || nul > 0 {
		return MissingURL
	}
	target := line[word+1:]
	if named {
		if version < word+2 {
			return MissingURL
		}
		target = line[word+1 : version-1]
	} else {
		for len(target) > 0 && target[len(target)-1] == '\r' {
			target = target[:len(target)-1]
		}
	}
	for len(target) > 0 && class[target[0]]&isSpace != 0 {
		target = target[1:]
	}
	r.Target = target
	if method == CONNECT && r.Major < 1 {
		return InvalidRequest
	}
	for _, c := range target {
		if c == 0 || c == '\r' {
			return InvalidURL
		}
	}
	return NoFault
}
