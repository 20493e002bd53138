package forward

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Transactions are used again, for other clients. What one request left in them
// must not be seen by the next: every field is cleared by reset, or named here
// with the reason why it need not be.
func TestResetForgets(t *testing.T) {
	kept := map[string]string{
		"in": "start empties it; room is kept", "req": "has a Reset of its own", "rep": "has a Reset of its own",
		"url": "counts only with hasURL", "control": "set by admit, before it is asked", "client": "set with the facts",
		"tries": "set by chooseHops, or not looked at", "taken": "ended by follow", "up": "ended by endUpload",
		"fields": "reset by whoever begins a head", "out": "written from its beginning", "chunked": "set where a body in chunks begins",
		"entry": "filled by log; its buffers are kept",
		"srv":   "of the client", "cl": "of the client", "p": "of the client", "port": "of the client", "ctx": "forgotten by done",
	}
	// What is left after reset must not depend on what was there before it: a
	// transaction of ones and one of zeros are the same then.
	r := start(t, nil)
	cl := &client{srv: r.srv, ln: r.srv.listeners[0], remote: netip.MustParseAddrPort("10.0.0.1:1"), local: netip.MustParseAddrPort("10.0.0.2:2")}
	used, fresh := &transaction{}, &transaction{}
	fill(reflect.ValueOf(used).Elem(), kept)
	used.start(cl)
	fresh.start(cl)
	defer used.done()
	defer fresh.done()
	a, b := reflect.ValueOf(used).Elem(), reflect.ValueOf(fresh).Elem()
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if kept[name] != "" {
			continue
		}
		if got, want := fmt.Sprintf("%+v", a.Field(i)), fmt.Sprintf("%+v", b.Field(i)); got != want {
			t.Errorf("%s is %s after reset, %s in a new transaction", name, got, want)
		}
	}
}

// fill puts something into every field of a struct that is not kept.
func fill(v reflect.Value, kept map[string]string) {
	for i := range v.NumField() {
		f := v.Field(i)
		if kept[v.Type().Field(i).Name] != "" {
			continue
		}
		f = reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem() // unexported ones too
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Int, reflect.Int64:
			f.SetInt(7)
		case reflect.Uint8:
			f.SetUint(7)
		case reflect.String:
			f.SetString("left over")
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 3, 8))
		case reflect.Chan:
			f.Set(reflect.MakeChan(f.Type(), 1))
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		case reflect.Struct:
			fill(f, nil)
		}
	}
}

// A request that was not understood has no address and no URL for access lists,
// whoever the transaction served before: like in 2.6, src ACLs see 0.0.0.0, and
// of what looks at a request only method can match, once it was read.
func TestAccessListsOfRefusedRequests(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	r := start(t, nil, file(t, `
acl first src 127.0.0.1
acl get method GET
acl here myport 3128
header_access Server deny first
header_access Expires deny !first
header_access Date deny all
access_log {DIR}/access.log squid
access_log {DIR}/first squid first
access_log {DIR}/notfirst squid !first
access_log {DIR}/notget squid !get
access_log {DIR}/here squid here
access_log {DIR}/all squid all`))
	ask := func(from, request string) string {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, request)
		head, err := readHead(bufio.NewReader(c))
		if err != nil {
			t.Fatal(err)
		}
		return head
	}
	const rounds = 5
	for range rounds {
		ask("127.0.0.1", "GET http://"+origin+"/ HTTP/1.0\r\n\r\n")
		for from, request := range map[string]string{"127.0.0.1": "BREW /pot HTTP/1.0\r\n\r\n", "127.0.0.2": "GET / HTTP/1.0\r\n\r\n"} {
			if head := ask(from, request); !strings.Contains(head, "\r\nServer:") || strings.Contains(head, "\r\nExpires:") || strings.Contains(head, "\r\nDate:") {
				t.Errorf("%q from %s: %q", request, from, head)
			}
		}
	}
	r.log(3 * rounds)
	r.srv.current.Load().logs.Flush()
	for name, want := range map[string]int{"access.log": 3, "first": 1, "notfirst": 2, "notget": 1, "here": 0, "all": 3} {
		if lines := linesOf(t, filepath.Join(r.dir, name)); len(lines) != want*rounds {
			t.Errorf("%s has %d lines, want %d: %q", name, len(lines), want*rounds, lines)
		}
	}
}
