package errpage

import "github.com/cuttle-proxy/cuttle/forward/http1"

// FirstMapped is the lowest status error_map acts on; statuses below 100 count
// as errors too.
const FirstMapped = 400

// Mapped is the URL whose content replaces the body of a reply with that
// status (error_map), "" when there is none. The status, and all fields but
// Content-Length, stay those of the reply.
func (s *Pages) Mapped(status int) string {
	for i := range s.cfg.ErrorMap {
		m := &s.cfg.ErrorMap[i]
		for _, mapped := range m.Status {
			if mapped == status {
				return m.URL
			}
		}
	}
	return ""
}

// MapRequest adds the fields of the request for a Mapped URL: some of the
// client's and of the reply's, so that the page can be made to fit, then which
// error it is about and the canonical URL it happened on.
func MapRequest(out *http1.Outgoing, request, reply *http1.Fields, status int, url []byte) {
	for i := range request.Len() {
		switch request.ID(i) {
		case http1.UserAgent, http1.Cookie, http1.XForwardedFor, http1.Via, http1.Authorization, http1.Accept, http1.Referer:
			out.Copy(request, i)
		}
	}
	for i := range reply.Len() {
		switch reply.ID(i) {
		case http1.Via, http1.Server, http1.Location, http1.ContentLocation:
			out.Copy(reply, i)
		}
	}
	out.AddInt(http1.XErrorStatus, int64(status))
	out.Add(http1.XRequestURI, url)
}
