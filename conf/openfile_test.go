package conf

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFilesThatDoNotEnd: a pipe nobody writes to and a device are refused in place
// of the configuration, of an included file and of a list file; /dev/null is an empty file.
func TestFilesThatDoNotEnd(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	const whole = "acl all src 0/0\nhttp_port 3128\nvisible_hostname a.b\n"
	for name, want := range map[string]string{
		fifo: "it is a pipe and nobody writes to it", "/dev/zero": "it is a device, not a file", "/dev/full": "it is a device, not a file",
		"/dev/null": "",
	} {
		_, main := Load(name, Options{})
		_, included := LoadText("main", []byte(whole+"include "+name+"\n"), Options{})
		_, listed := LoadText("main", []byte(whole+"acl d dstdomain \""+name+"\"\ncache deny d\n"), Options{})
		if main.Exit == 0 || (included.Exit == 0) != (want == "") || listed.Exit != 0 {
			t.Errorf("%s: exit %d, %d as an included file, %d as a list", name, main.Exit, included.Exit, listed.Exit)
		}
		for place, report := range map[string]*Report{"the configuration": main, "an included file": included, "a list file": listed} {
			if said := explanation(report); !strings.Contains(said, want) {
				t.Errorf("%s as %s: nothing says %q:\n%s", name, place, want, said)
			}
		}
	}
}

// explanation is all a report explains.
func explanation(r *Report) string {
	var out strings.Builder
	r.Explain(&out, true)
	return out.String()
}

// TestConfigurationThroughAPipe: squid -f <(make-config) works, however the bytes come.
func TestConfigurationThroughAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() {
		for _, part := range []string{"acl all src 0/0\nhttp_", "port 31", "28\nvisible_hostname a.b\n"} {
			io.WriteString(w, part)
		}
		w.Close()
	}()
	cfg, report := Load("/proc/self/fd/"+strconv.Itoa(int(r.Fd())), Options{})
	if cfg == nil || cfg.HTTPPorts[0].Addr.Port() != 3128 {
		t.Errorf("exit %d, %v", report.Exit, report.Lines)
	}
}

// TestSilentPipe: a writer who never closes ends the reading, not hangs it.
func TestSilentPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	io.WriteString(w, "via on\n")
	p := &pipe{File: r, wait: time.Minute}
	defer p.Close()
	text := make([]byte, 20)
	if n, err := p.Read(text); string(text[:n]) != "via on\n" || err != nil {
		t.Errorf("read %q, %v", text[:n], err)
	}
	p.wait = time.Millisecond
	if n, err := p.Read(text); n != 0 || err == nil || !strings.Contains(err.Error(), "nothing came through the pipe") {
		t.Errorf("read %q, %v", text[:n], err)
	}
}
