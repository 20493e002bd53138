package forward

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// expand fills in the places of a family's text.
func (f *family) expand(origin string) string {
	hidden := "GET http://" + origin + "/hidden HTTP/1.1\r\nHost: a\r\n\r\n"
	return strings.NewReplacer("{O}", origin, "{H}", hidden, "{L}", fmt.Sprint(len(hidden)), "{L+5}", fmt.Sprint(len(hidden)+5),
		"{C}", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden),
		"{K}", "Connection: keep-alive\r\nProxy-Connection: keep-alive\r\n").Replace(f.text)
}

// TestFamilies sends each of them and compares what an origin sees, read by the
// letter, and what the client is answered, read by the letter, with what must be.
func TestFamilies(t *testing.T) {
	for i, mode := range []string{"1.0", "1.1"} {
		for _, relaxed := range []conf.Tristate{conf.On, conf.Off} {
			o := judgedOrigin(t, okay)
			r := start(t, nil, modes[mode], func(c *conf.Config) { c.RelaxedHeaderParser = relaxed })
			for _, f := range families {
				want := f.want[i]
				if relaxed == conf.Off && f.strict[i] != "" {
					want = f.strict[i]
				}
				t.Run(fmt.Sprintf("%s relaxed %v %s", mode, relaxed, f.name), func(t *testing.T) {
					text := f.expand(o.addr)
					if strings.HasPrefix(want, "bare") {
						if got := r.exchange(text); got != "ok" || "bare"+summary(nil, o.take(t)) != want {
							t.Errorf("%q, want a body alone", got)
						}
						return
					}
					method, _, _ := strings.Cut(text, " ")
					answers, err := r.talk(text, method)
					if got := summary(answers, o.take(t)); got != want || err != nil {
						t.Errorf("%q %v, want %q", got, err, want)
					}
				})
			}
		}
	}
}
