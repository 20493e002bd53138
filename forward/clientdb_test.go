package forward

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// maxconn counts a client's connections, unless client_db is off.
func TestMaxConnACL(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
	for _, counts := range []bool{true, false} {
		many := &conf.ACL{Name: "many", Type: conf.ACLMaxConn, Numbers: []int{1}}
		r := start(t, nil, func(c *conf.Config) {
			c.ClientDB, c.ACLs = counts, []*conf.ACL{many}
			c.HTTPAccess = conf.AccessList{{ACLs: []conf.ACLRef{{Name: "many", ACL: many}}}, {Allow: true}}
		})
		ask := fmt.Sprintf("GET http://%s/ HTTP/1.0\r\n\r\n", origin)
		if got := r.exchange(ask); !strings.HasPrefix(got, "HTTP/1.0 200 ") {
			t.Errorf("client_db %v, alone: %q", counts, got)
		}
		eventually(t, "the first connection is gone", func() bool { return r.srv.clients.Len() == 0 })
		idle := r.dial()
		defer idle.Close()
		eventually(t, "the idle connection is counted", func() bool { return r.srv.clients.Len() == 1 })
		if got := r.exchange(ask); strings.HasPrefix(got, "HTTP/1.0 403 ") != counts {
			t.Errorf("client_db %v, a second connection: %q", counts, got)
		}
	}
}
