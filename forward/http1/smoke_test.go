package http1

import "testing"

func TestSmoke(t *testing.T) {
	var r Request
	r.Reset()
	o := &Options{Relaxed: true}
	in := "GET http://Example.COM/a b HTTP/1.1\r\nhost: x\r\nX-odd : v\r\nuser-AGENT:  y \r\n\r\nrest"
	n, s := r.Parse([]byte(in), o)
	if s != Complete || in[n:] != "rest" {
		t.Fatal(n, s, r.Fault)
	}
	var u URL
	if f := u.Parse(r.Method, r.Target, &URLOptions{CheckHostnames: true}); f != NoFault {
		t.Fatal(f)
	}
	var out Outgoing
	out.CopyAll(&r.Fields)
	out.List(&r.Fields, Via).Int(1).Text(".").Int(1).Text(" me").End(Via)
	t.Logf("%s", out.Append(AppendRequestLine(nil, r.MethodText, u.AppendTarget(nil), 0)))
}
