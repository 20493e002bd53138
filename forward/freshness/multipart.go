package freshness

import "strconv"

// AppendContentRange appends the value of Content-Range for a part of a body.
func AppendContentRange(dst []byte, s Span, size int64) []byte {
	dst = strconv.AppendInt(append(dst, "bytes "...), s.From, 10)
	dst = strconv.AppendInt(append(dst, '-'), s.To-1, 10)
	return strconv.AppendInt(append(dst, '/'), size, 10)
}

// Multipart frames the parts of a body as multipart/byteranges (RFC 9110 section
// 14.6).
type Multipart struct {
	// Boundary must not occur in the body; ContentType is that of the whole.
	Boundary    string
	ContentType []byte
	Size        int64
}

// AppendType appends the Content-Type of the whole answer.
func (m *Multipart) AppendType(dst []byte) []byte {
	return append(append(append(dst, `multipart/byteranges; boundary="`...), m.Boundary...), '"')
}

// AppendHead appends what stands in front of a part.
func (m *Multipart) AppendHead(dst []byte, s Span) []byte {
	dst = append(append(append(dst, "\r\n--"...), m.Boundary...), "\r\n"...)
	if len(m.ContentType) > 0 {
		dst = append(append(append(dst, "Content-Type: "...), m.ContentType...), "\r\n"...)
	}
	return append(AppendContentRange(append(dst, "Content-Range: "...), s, m.Size), "\r\n\r\n"...)
}

// AppendEnd appends what stands behind the last part.
func (m *Multipart) AppendEnd(dst []byte) []byte {
	return append(append(append(dst, "\r\n--"...), m.Boundary...), "--\r\n"...)
}

// Length is the length of the answer with these parts in bytes.
func (m *Multipart) Length(spans []Span) int64 {
	var scratch [256]byte
	n := int64(len(m.AppendEnd(scratch[:0])))
	for _, s := range spans {
		n += int64(len(m.AppendHead(scratch[:0], s))) + s.Len()
	}
	return n
}
