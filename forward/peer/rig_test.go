package peer

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// everywhere is a Resolver that knows every name but those below .invalid.
type everywhere struct{ dns.Resolver }

func (e everywhere) Addrs(ctx context.Context, host string) (dns.Answer, error) {
	return e.Look(ctx, host)
}

func (everywhere) Look(_ context.Context, host string) (dns.Answer, error) {
	if strings.HasSuffix(host, ".invalid") {
		return dns.Answer{}, errors.New("no such name")
	}
	if strings.HasPrefix(host, "127.") {
		return dns.NewAnswer(netip.MustParseAddr(host)), nil
	}
	return here, nil
}

var here = dns.NewAnswer(netip.MustParseAddr("127.0.0.1"))

// rig is a Set with what its environment heard.
type rig struct {
	*Set
	cfg     *conf.Config
	lists   *acl.Set
	env     Env
	connect chan error // the outcomes of probes
}

// load makes the peers of a configuration's lines.
func load(t testing.TB, lines string) *rig {
	t.Helper()
	return loadText(t, lines)
}

// fatal is a test, or a case of a property test.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
	Fatal(args ...any)
}

func loadText(t fatal, lines string) *rig {
	t.Helper()
	text := "visible_hostname proxy.test\nacl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\nhosts_file none\n" + lines + "\n"
	cfg, report := conf.LoadText("squid.conf", []byte(text), conf.Options{})
	if cfg == nil {
		t.Fatalf("%q: %+v", lines, report.Lines)
	}
	names := everywhere{}
	lists, err := acl.Compile(cfg, acl.Sources{Names: names})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{cfg: cfg, lists: lists, connect: make(chan error)}
	r.env = Env{Names: names, Log: zap.NewNop(), Connect: func(ctx context.Context, _ netip.AddrPort) error {
		select {
		case err := <-r.connect:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	r.Set = New(cfg, lists, &r.env)
	return r
}

// question is a request as the choice of next hops sees it. The word "here" in Via
// makes it a loop.
func question(t fatal, method, target, field string) *Question {
	t.Helper()
	var req http1.Request
	req.Reset()
	if _, state := req.Parse([]byte(method+" "+target+" HTTP/1.0\r\n"+field+"\r\n\r\n"), &http1.Options{}); state != http1.Complete {
		t.Fatalf("%s %s %s: %v", method, target, field, req.Fault)
	}
	url := new(http1.URL)
	if fault := url.Parse(req.Method, req.Target, &http1.URLOptions{}); fault != http1.NoFault {
		t.Fatalf("%s: %v", target, fault)
	}
	client := netip.MustParseAddr("127.0.0.1")
	return &Question{
		Facts:  &acl.Facts{Client: client, Method: req.Method, URL: url, Request: &req.Fields},
		URL:    url.AppendCanonical(nil),
		Client: client,
		Loops:  strings.Count(string(req.Get(http1.Via)), " here"),
	}
}

// words is hops in the words of the log.
func words(hops []Hop) string {
	var words []string
	for _, h := range hops {
		word := h.Code
		if h.Pinned {
			word = "pinned"
		}
		if h.Peer != nil {
			word += "/" + h.Peer.Name
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// choice is the next hops of a request in the words of the log.
func (r *rig) choice(t testing.TB, method, url, field string) string {
	t.Helper()
	hops, _ := r.Select(t.Context(), question(t, method, url, field), nil)
	return words(hops)
}
