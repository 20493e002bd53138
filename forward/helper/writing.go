package helper

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	"go.uber.org/zap"
)

// outbox is the questions for one child that are not written yet.
type outbox struct {
	mu      sync.Mutex // guards the next three
	pending []byte     // lines of the next write
	spare   []byte
	taken   uint64 // writes begun

	writing sync.Mutex // held by who writes; guards the rest
	unsent  []byte
	failed  error
	raw     syscall.RawConn
	put     func(fd uintptr) bool
}

// maxSpare is the largest buffer that is kept, in bytes.
const maxSpare = 64 << 10

func (b *outbox) init(in *os.File) (err error) {
	b.raw, err = in.SyscallConn()
	b.put = b.putNow
	return err
}

// ask writes a question. What goes wrong ends the child, and so answers the question.
//
// With channel numbers, goroutines that are ready to run add theirs first: one write, and
// one helper woken, for all that the last look at the network has brought. With nobody else
// ready it is written at once.
func (c *child) ask(channel int, question []byte) {
	if say := &c.pool.say; say.On(5) {
		say.Say(5, "{helper} #{number} is asked {question}", c.named(), c.numbered(), zap.String("question", c.pool.shown(question)))
	}
	shared := c.pool.o.Concurrency > 0
	number := c.asks.add(channel, shared, question)
	if shared {
		runtime.Gosched()
	}
	if c.asks.write(number) != nil {
		c.proc.Kill()
	}
}

// add leaves a line for the next write, and gives the number of that.
func (b *outbox) add(channel int, numbered bool, question []byte) (number uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if numbered {
		b.pending = append(strconv.AppendInt(b.pending, int64(channel), 10), ' ')
	}
	b.pending = append(append(b.pending, question...), '\n')
	return b.taken
}

// write makes the write with that number, unless somebody has begun it.
func (b *outbox) write(number uint64) error {
	if b.begun(number) {
		return nil
	}
	b.writing.Lock()
	defer b.writing.Unlock()
	lines := b.take(number)
	if lines == nil {
		return nil
	}
	b.unsent = lines
	err := b.raw.Write(b.put)
	if err == nil {
		err = b.failed
	}
	b.giveBack(lines)
	return err
}

func (b *outbox) begun(number uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken > number
}

// take begins a write, nil when somebody has.
func (b *outbox) take(number uint64) (lines []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken > number {
		return nil
	}
	lines = b.pending
	b.pending, b.spare = b.spare[:0], nil
	b.taken++
	return lines
}

func (b *outbox) giveBack(lines []byte) {
	clear(lines) // passwords
	b.mu.Lock()
	defer b.mu.Unlock()
	if cap(lines) <= maxSpare {
		b.spare = lines[:0]
	}
}

// putNow writes what is unsent, as much of it as there is room for.
func (b *outbox) putNow(fd uintptr) (done bool) {
	for len(b.unsent) > 0 {
		n, err := writeNow(fd, b.unsent)
		if err == errAgain {
			return false
		}
		if b.unsent, b.failed = b.unsent[n:], err; err != nil {
			break
		}
	}
	return true
}
