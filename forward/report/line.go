package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// AppendLine writes an entry's message and fields as the text of one of 2.6's
// lines. Where such a line has a value in its midst the message names the field in
// braces, so that the line is 2.6's and the value still a field:
//
//	log.Warn("clientReadRequest: FD {fd} ({client}) Invalid Request", zap.Int("fd", 9), zap.Stringer("client", addr))
//
// Fields that the message does not name follow it as " name=value", in the order
// given, quoted where they would run into what follows.
func AppendLine(b *buffer.Buffer, message string, fields []zapcore.Field) {
	rest := message
	for len(fields) > 0 {
		before, from, found := strings.Cut(rest, "{")
		name, after, closed := strings.Cut(from, "}")
		if !found || !closed {
			break
		}
		AppendClean(b, before)
		if f := fieldNamed(fields, name); f != nil {
			AppendClean(b, fieldText(f))
			rest = after
			continue
		}
		b.AppendByte('{')
		rest = from
	}
	AppendClean(b, rest)
	for i := range fields {
		f := &fields[i]
		if f.Type == zapcore.SkipType || strings.Contains(message, "{"+f.Key+"}") {
			continue
		}
		b.AppendByte(' ')
		AppendClean(b, f.Key)
		b.AppendByte('=')
		text := fieldText(f)
		if text == "" || strings.ContainsAny(text, " \t\"=") {
			text = strconv.Quote(text)
		}
		AppendClean(b, text)
	}
}

func fieldNamed(fields []zapcore.Field, name string) *zapcore.Field {
	for i := range fields {
		if fields[i].Key == name && fields[i].Type != zapcore.SkipType {
			return &fields[i]
		}
	}
	return nil
}

// fieldText is the value of a field. System errors read as in 2.6.
func fieldText(f *zapcore.Field) string {
	switch f.Type {
	case zapcore.StringType:
		return f.String
	case zapcore.Int64Type, zapcore.Int32Type, zapcore.Int16Type, zapcore.Int8Type:
		return strconv.FormatInt(f.Integer, 10)
	case zapcore.Uint64Type, zapcore.Uint32Type, zapcore.Uint16Type, zapcore.Uint8Type:
		return strconv.FormatUint(uint64(f.Integer), 10)
	case zapcore.DurationType:
		return time.Duration(f.Integer).String()
	case zapcore.ErrorType:
		if err, ok := f.Interface.(error); ok && err != nil {
			return SystemText(err)
		}
	}
	// The rest, a Stringer that is a nil pointer among it, goes zap's own way.
	m := zapcore.NewMapObjectEncoder()
	f.AddTo(m)
	if v, ok := m.Fields[f.Key]; ok {
		return fmt.Sprint(v)
	}
	for _, v := range m.Fields { // zap's word on a value that could not be printed
		return fmt.Sprint(v)
	}
	return ""
}

// AppendClean keeps text on its line: what comes from outside can forge no log
// line and reach no terminal with control sequences.
func AppendClean(b *buffer.Buffer, text string) {
	clean := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != 0x7f || c == '\t' {
			continue
		}
		b.AppendString(text[clean:i])
		b.AppendString("\\x")
		b.AppendByte("0123456789abcdef"[c>>4])
		b.AppendByte("0123456789abcdef"[c&15])
		clean = i + 1
	}
	b.AppendString(text[clean:])
}

// Line is what AppendLine appends, for who looks at one line.
func Line(message string, fields []zapcore.Field) string {
	var b buffer.Buffer
	AppendLine(&b, message, fields)
	return b.String()
}
