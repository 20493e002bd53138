package helper

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
)

// newOutbox is one with the other end of its pipe.
func newOutbox(t *testing.T) (*outbox, *os.File, *os.File) {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		out.Close()
		in.Close()
	})
	b := new(outbox)
	if err := b.init(in); err != nil {
		t.Fatal(err)
	}
	return b, out, in
}

// What was added before a write is part of it, and written once, whoever makes it.
func TestQuestionsShareAWrite(t *testing.T) {
	b, out, in := newOutbox(t)
	var numbers []uint64
	for channel, question := range []string{"a", "bb", "ccc"} {
		numbers = append(numbers, b.add(channel, true, []byte(question)))
	}
	for _, n := range numbers {
		if err := b.write(n); err != nil {
			t.Error(err)
		}
	}
	if err := b.write(b.add(7, false, []byte("later"))); err != nil {
		t.Error(err)
	}
	in.Close()
	var got [128]byte
	if n, _ := out.Read(got[:]); string(got[:n]) != "0 a\n1 bb\n2 ccc\nlater\n" {
		t.Errorf("%q", got[:n])
	}
}

// Nothing of a question stays where it was written from.
func TestQuestionsAreForgotten(t *testing.T) {
	b, _, _ := newOutbox(t)
	for range 2 { // both buffers
		b.write(b.add(0, false, []byte("password")))
	}
	for _, buf := range [][]byte{b.pending, b.spare, b.unsent} {
		if bytes.Contains(buf[:cap(buf)], []byte("word")) {
			t.Errorf("%q", buf[:cap(buf)])
		}
	}
}

func TestNobodyReadsQuestions(t *testing.T) {
	b, out, _ := newOutbox(t)
	out.Close()
	if err := b.write(b.add(0, false, []byte("x"))); err == nil {
		t.Error("no error")
	}
}

// More than a pipe holds, added while somebody waits for room in it.
func TestFullPipe(t *testing.T) {
	b, out, in := newOutbox(t)
	var askers sync.WaitGroup
	const count = 100
	long := strings.Repeat("x", 4000)
	for i := range count {
		askers.Go(func() {
			if err := b.write(b.add(i, true, []byte(long))); err != nil {
				t.Error(err)
			}
		})
	}
	go func() {
		askers.Wait()
		in.Close()
	}()
	got := new(bytes.Buffer)
	got.ReadFrom(out)
	for i := range count {
		if line := fmt.Sprintf("%d %s\n", i, long); !strings.Contains("\n"+got.String(), "\n"+line) {
			t.Errorf("line %d is not there", i)
		}
	}
	if want := count*len(long) + 10*3 + 90*4; got.Len() != want {
		t.Errorf("%d octets, want %d", got.Len(), want)
	}
}
