package forward

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// actAsOrigin dates a reply of an accelerator anew, for a port with
// act-as-origin: Date is now, and Expires as far ahead of it as the origin said.
func (x *transaction) actAsOrigin() {
	if !x.accel || !x.port.ActAsOrigin {
		return
	}
	said, dated := http1.ParseDate(x.rep.Get(http1.Date))
	ends, expires := http1.ParseDate(x.rep.Get(http1.Expires))
	out := &x.fields
	out.Remove(http1.Date)
	out.Remove(http1.Age) // an origin's reply is new
	out.Set(x.srv.dates.Append(out.Pieces(), x.now)).End(http1.Date)
	if dated && expires {
		out.Remove(http1.Expires)
		out.Set(http1.AppendDate(out.Pieces(), x.now.Add(ends.Sub(said)).Truncate(time.Second))).End(http1.Expires)
	}
}
