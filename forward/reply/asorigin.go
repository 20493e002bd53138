package reply

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// ActAsOrigin dates a reply of an accelerator anew, for a port with
// act-as-origin: Date is now, and Expires as far ahead of it as the origin said.
func (r *Reply) ActAsOrigin(from *http1.Reply, now time.Time) {
	said, dated := http1.ParseDate(from.Get(http1.Date))
	ends, expires := http1.ParseDate(from.Get(http1.Expires))
	out := &r.Fields
	out.Remove(http1.Date)
	out.Remove(http1.Age) // an origin's reply is new
	r.AddDate(http1.Date, now)
	if dated && expires {
		out.Remove(http1.Expires)
		out.Set(http1.AppendDate(out.Pieces(), now.Add(ends.Sub(said)).Truncate(time.Second))).End(http1.Expires)
	}
}
