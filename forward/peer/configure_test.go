package peer

import (
	"slices"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// Each peer is told at the start, and of one without an address that it has none.
func TestPeersAreTold(t *testing.T) {
	core, said := observer.New(zap.InfoLevel)
	r := load(t, "cache_peer a.test parent 81 3130 no-digest no-netdb-exchange\ncache_peer b.invalid sibling 82 0 no-digest no-netdb-exchange name=other\n")
	r.env.Log = zap.New(core)
	r.start(nil)
	defer r.stop()
	want := []string{"Configuring Parent a.test/81/3130", "Configuring Sibling b.invalid/82/0", "WARNING: DNS lookup for 'b.invalid' failed!"}
	var lines []string
	eventually(t, "not all is told", func() bool {
		lines = nil
		for _, e := range said.All() {
			lines = append(lines, report.Line(e.Message, e.Context))
		}
		slices.Sort(lines)
		return slices.Equal(lines, want)
	})
}
