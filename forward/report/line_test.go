package report

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
)

// Fields stand where the message has a place for them, the others behind it.
func TestFieldsInLines(t *testing.T) {
	client := netip.MustParseAddr("192.0.2.7")
	failed := &os.PathError{Op: "open", Path: "/x", Err: syscall.EADDRINUSE}
	fields := func(f ...zap.Field) []zap.Field { return f }
	for _, c := range []struct {
		message string
		fields  []zap.Field
		want    string
	}{
		{"Ready to serve requests.", nil, "Ready to serve requests."},
		{"a {brace} alone", nil, "a {brace} alone"},
		{"clientReadRequest: FD {fd} ({client}) Invalid Request", fields(zap.Int("fd", 9), zap.Stringer("client", client)),
			"clientReadRequest: FD 9 (192.0.2.7) Invalid Request"},
		{"{client}{client}", fields(zap.Stringer("client", client)), "192.0.2.7192.0.2.7"},
		{"closing {", fields(zap.Int("n", 1)), "closing { n=1"},
		{"{other} {n", fields(zap.Int("n", 1)), "{other} {n n=1"},
		{"refused", fields(zap.String("z", "last"), zap.Stringer("client", client), zap.Bool("known", true)), "refused z=last client=192.0.2.7 known=true"},
		{"refused", fields(zap.String("name", "two words"), zap.String("none", ""), zap.String("forged", "x client=10.0.0.1")),
			`refused name="two words" none="" forged="x client=10.0.0.1"`},
		{"bind: {error}", fields(zap.NamedError("error", failed)), "bind: (98) Address already in use"},
		{"it", fields(zap.Error(errors.New("broke")), zap.Error(nil)), "it error=broke"},
		{"took", fields(zap.Duration("for", 1500*time.Millisecond), zap.Uint64("octets", 1<<63), zap.Int64("left", -1)), "took for=1.5s octets=9223372036854775808 left=-1"},
		{"lists", fields(zap.Strings("names", []string{"a", "b"}), zap.ByteString("bytes", []byte("raw"))), `lists names="[a b]" bytes=raw`},
		{"nobody", fields(zap.Stringer("who", (*netip.Prefix)(nil))), "nobody who=<nil>"},
		{"from {who}", fields(zap.String("who", "evil\n2026/01/01 00:00:00| forged\x1b[2J")), `from evil\x0a2026/01/01 00:00:00| forged\x1b[2J`},
	} {
		var b buffer.Buffer
		AppendLine(&b, c.message, c.fields)
		if got := b.String(); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.message, got, c.want)
		}
	}
}

// Whatever message and values are, a line is one line without control octets, and
// no value is lost.
func FuzzFieldsInLines(f *testing.F) {
	f.Add("FD {fd} of {client}", "fd", "9\n")
	f.Add("{", "}", "{}")
	f.Add("{{a}}", "a", "")
	f.Fuzz(func(t *testing.T, message, name, value string) {
		var b buffer.Buffer
		AppendLine(&b, message, []zapcore.Field{zap.String(name, value)})
		if strings.ContainsFunc(b.String(), func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			t.Errorf("%q", b.String())
		}
		if plain := strings.IndexFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '=' }) < 0; plain && !strings.Contains(b.String(), value) {
			t.Errorf("%q in %q is lost: %q", value, message, b.String())
		}
	})
}
