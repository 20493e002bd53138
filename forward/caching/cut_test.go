package caching

import (
	"bytes"
	"io"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"pgregory.net/rapid"
)

// pieces is a body that comes in pieces, some of which have to be waited for.
type pieces struct {
	list []string
	wait []bool
	end  error
}

func (p *pieces) Next(most int, wait bool) ([]byte, error) {
	if len(p.list) == 0 {
		return nil, p.end
	}
	if p.wait[0] && !wait {
		return nil, nil
	}
	next := p.list[0]
	if len(next) > most {
		p.list[0] = next[most:]
		return []byte(next[:most]), nil
	}
	p.list, p.wait = p.list[1:], p.wait[1:]
	return []byte(next), nil
}

// What is cut out of a body that comes in any pieces is what the parts of it are, framed
// as their length says; a body that ends too early is no end.
func TestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pieces{end: io.EOF}
		body := ""
		for range rapid.IntRange(1, 6).Draw(t, "pieces") {
			piece := rapid.StringOfN(rapid.RuneFrom([]rune("abcdef")), 1, 9, -1).Draw(t, "piece")
			p.list, p.wait, body = append(p.list, piece), append(p.wait, rapid.Bool().Draw(t, "wait")), body+piece
		}
		var spans []freshness.Span
		for from := rapid.IntRange(0, len(body)-1).Draw(t, "from"); from < len(body) && len(spans) < 3; {
			to := rapid.IntRange(from+1, len(body)).Draw(t, "to")
			spans = append(spans, freshness.Span{From: int64(from), To: int64(to)})
			from = to + rapid.IntRange(0, 3).Draw(t, "gap")
		}
		m := freshness.Multipart{Boundary: "b", ContentType: []byte("text/plain"), Size: int64(len(body))}
		short := rapid.Bool().Draw(t, "short")
		if short {
			last := len(p.list) - 1
			p.list[last] = p.list[last][:len(p.list[last])-1]
			if p.list[last] == "" {
				p.list, p.wait = p.list[:last], p.wait[:last]
			}
		}
		var want []byte
		for _, s := range spans {
			if len(spans) > 1 {
				want = m.AppendHead(want, s)
			}
			want = append(want, body[s.From:s.To]...)
		}
		if len(spans) > 1 {
			want = m.AppendEnd(want)
		}
		c := &Cut{Multipart: m, Spans: spans, body: p}
		var got []byte
		for {
			piece, err := c.Next(rapid.IntRange(1, 20).Draw(t, "most"), rapid.Bool().Draw(t, "waits"))
			got = append(got, piece...)
			if err == nil {
				continue
			}
			whole := !short || spans[len(spans)-1].To < int64(len(body))
			if (err == io.EOF) != whole {
				t.Fatalf("%v, whole %v", err, whole)
			}
			if whole && (!bytes.Equal(got, want) || int64(len(got)) != c.Length()) {
				t.Fatalf("%q, want %q, length %d", got, want, c.Length())
			}
			return
		}
	})
}
