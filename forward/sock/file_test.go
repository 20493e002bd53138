package sock

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// wrapped is a stream that is no bare socket, as TLS is none.
type wrapped struct{ *Conn }

func (wrapped) Bare() *Conn { return nil }

// bytesOf makes n bytes that differ from their neighbours.
func bytesOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// Pieces of any number and size arrive in order, in and out of a turn, however
// small the socket's buffer is.
func TestWritePieces(t *testing.T) {
	for name, write := range map[string]func(*Conn, [][]byte) (int64, error){
		"conn": (*Conn).WritePieces,
		"turn": func(c *Conn, list [][]byte) (int64, error) {
			turn := &Turn{c: c, fd: c.fd}
			return turn.WritePieces(list)
		},
	} {
		rapid.Check(t, func(rt *rapid.T) {
			c, far := pair(t)
			unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4<<10)
			c.WriteUntil(time.Now().Add(30 * time.Second))
			var list [][]byte
			for range rapid.IntRange(0, 3*mostPieces).Draw(rt, "pieces") {
				size := rapid.SampledFrom([]int{0, 1, 100, 4096, 20000}).Draw(rt, "size")
				list = append(list, bytesOf(size))
			}
			want := bytes.Join(list, nil)
			got := make([]byte, len(want))
			var reader sync.WaitGroup
			reader.Go(func() { io.ReadFull(far, got) })
			n, err := write(c, list)
			if n != int64(len(want)) || err != nil {
				rt.Fatalf("%s: %d of %d bytes: %v", name, n, len(want), err)
			}
			reader.Wait()
			if !bytes.Equal(got, want) {
				rt.Fatalf("%s: other bytes arrived", name)
			}
			c.Close()
			far.Close()
		})
	}
}

// A part of a file arrives whole, by sendfile and by copying; the file's position
// stays where it is.
func TestSendFile(t *testing.T) {
	text := bytesOf(1 << 20)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, bare := range []bool{true, false} {
		for _, part := range [][2]int64{{0, 1 << 20}, {5, 1000}, {100, 0}, {1<<20 - 1, 1}} {
			c, far := pair(t)
			c.WriteUntil(time.Now().Add(30 * time.Second))
			var to Stream = c
			if !bare {
				to = wrapped{c}
			}
			got := make([]byte, part[1])
			var reader sync.WaitGroup
			reader.Go(func() { io.ReadFull(far, got) })
			n, err := SendFile(to, int(file.Fd()), part[0], part[1])
			reader.Wait()
			if n != part[1] || err != nil || !bytes.Equal(got, text[part[0]:part[0]+part[1]]) {
				t.Errorf("bare %v, %v: %d, %v", bare, part, n, err)
			}
			c.Close()
		}
	}
	if at, _ := file.Seek(0, io.SeekCurrent); at != 0 {
		t.Errorf("the position is %d", at)
	}
}

// Whose fault it was: a file that is too short, a client that leaves or takes
// nothing.
func TestSendFileFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, bytesOf(10), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd := int(file.Fd())
	for _, bare := range []bool{true, false} {
		stream := func() (Stream, *Conn, io.Closer) {
			c, far := pair(t)
			if bare {
				return c, c, far
			}
			return wrapped{c}, c, far
		}
		to, c, _ := stream()
		n, err := SendFile(to, fd, 4, 100)
		if short := (*FileError)(nil); n != 6 || !errors.As(err, &short) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("bare %v, too short: %d, %v", bare, n, err)
		}
		c.Close()

		file.Truncate(64 << 20)
		to, c, _ = stream()
		c.WriteUntil(time.Now().Add(20 * time.Millisecond))
		if n, err := SendFile(to, fd, 0, 64<<20); err != ErrTimeout || n == 64<<20 {
			t.Errorf("bare %v, nobody reads: %d, %v", bare, n, err)
		}
		c.Close()

		to, c, far := stream()
		far.Close()
		for { // until the reset has come
			if _, err = SendFile(to, fd, 0, 1<<20); err != nil {
				break
			}
		}
		if file := (*FileError)(nil); errors.As(err, &file) || err != unix.EPIPE && err != unix.ECONNRESET {
			t.Errorf("bare %v, the client left: %v", bare, err)
		}
		c.Close()
		file.Truncate(10)
	}
}

// A transfer from or to what is no bare socket copies, with the same ends.
func TestTransferOfStreams(t *testing.T) {
	for _, size := range []int{0, 1, 1000, 300000} {
		for _, left := range []int64{int64(size), -1, int64(size) + 1} {
			r := newRelay(t, left)
			from, to := r.From.Bare(), r.To.Bare()
			r.From, r.To = wrapped{from}, wrapped{to}
			want := bytesOf(size)
			var got []byte
			var ends sync.WaitGroup
			ends.Go(func() { r.feed.Write(want); r.feed.CloseWrite() })
			ends.Go(func() { got, _ = io.ReadAll(r.sink) })
			n := r.Run()
			to.Close()
			ends.Wait()
			if n != int64(size) || !bytes.Equal(got, want) || r.WriteErr != nil || (r.ReadErr != nil) != (left > int64(size)) {
				t.Errorf("%d bytes of %d: %d, %v, %v", size, left, n, r.ReadErr, r.WriteErr)
			}
			from.Close()
		}
	}
}
