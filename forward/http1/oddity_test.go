package http1

import (
	"fmt"
	"strings"
	"testing"
)

func TestOddities(t *testing.T) {
	for head, want := range map[string]string{
		"Server: x\r\nDate: y\r\n":                     "",
		"A : b\r\nB\t: c\r\nC: d\r\n":                  "1{A : b} 1{B\t: c}",
		"HTTP/1.0 200 OK\r\nb@d: x\r\n: y\r\nD: e\r\n": "0{HTTP/1.0 200 OK} 0{b@d: x} 0{: y}",
		"A: b\r\n c\r\n":                               "",
	} {
		var r Reply
		r.Reset()
		if _, state := r.Parse([]byte("HTTP/1.0 200 OK\r\n"+head+"\r\n"), true, &Options{Relaxed: true}); state != Complete {
			t.Fatalf("%q: %v", head, state)
		}
		var got []string
		r.Oddities(10, func(o Oddity, line []byte) { got = append(got, fmt.Sprintf("%d{%s}", o, line)) })
		if s := strings.Join(got, " "); s != want || r.Odd() != (want != "") {
			t.Errorf("%q: %s, odd %v, want %s", head, s, r.Odd(), want)
		}
		n := 0
		r.Oddities(1, func(Oddity, []byte) { n++ })
		if n > 1 {
			t.Errorf("%q: %d lines where one was wanted", head, n)
		}
	}
}

// Why a URL is refused is said as 2.6 says it, for whatever text.
func TestWhyURLsAreInvalid(t *testing.T) {
	o := &URLOptions{CheckHostnames: true, AllowUnderscore: true}
	for text, want := range map[string]URLFault{
		"http://a.test/" + strings.Repeat("a", maxURL): URLTooLong,
		"http://bad!name.example/":                     BadHost,
		"http://u@bad!name.example:80/x":               BadHost,
		"bad!name:443":                                 BadHost,
		"http://a_b.test:99999/":                       OtherURLFault,
		"http://[::1]/":                                OtherURLFault,
		"":                                             OtherURLFault,
	} {
		if got := WhyInvalid([]byte(text), o); got != want {
			t.Errorf("%.40q: %d, want %d", text, got, want)
		}
	}
}

func FuzzWhyInvalid(f *testing.F) {
	for _, s := range []string{"http://bad!name/", "a@b:80", "://", "[", "http://x:/@/"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		WhyInvalid(text, &URLOptions{CheckHostnames: true})
		HostOf(text)
	})
}
