package helper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAsk(t *testing.T) {
	for name, o := range map[string]Options{
		"plain":       {Program: program("echo"), Children: 3},
		"concurrency": {Program: program("echo channels"), Children: 2, Concurrency: 4},
		"CR":          {Program: program("echo", "answer\r"), Children: 1},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := newPool(t, o)
			var wg sync.WaitGroup
			for i := range 200 {
				wg.Go(func() {
					question := fmt.Sprintf("question %d", i)
					answer, err := p.Ask(t.Context(), []byte(question))
					want := question
					if name == "CR" {
						want = "answer"
					}
					if err != nil || answer != want {
						t.Errorf("%q: %q, %v", question, answer, err)
					}
				})
			}
			wg.Wait()
			if s := p.Stats(); s.Asked != 200 || s.Answered != 200 || s.Queue != 0 || s.Restarts != 0 || len(s.Children) != o.Children && o.Children > 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A program that says something when it starts is not taken at its word: not even
// when it was asked before it had said that.
func TestGreeting(t *testing.T) {
	p, logs := newPool(t, Options{Program: program("greeting"), Children: 2})
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			question := fmt.Sprint("question ", i)
			answer, err := p.Ask(t.Context(), []byte(question))
			if answer != question && answer != "hello, here I am" && err != ErrDied {
				t.Errorf("%q: %q, %v", question, answer, err)
			}
		})
	}
	wg.Wait()
	if !logged(logs, "before it was asked anything") && !logged(logs, `unasked`) && !logged(logs, "more than it was asked") {
		t.Error("it is not named")
	}
	for i := range 50 {
		question := fmt.Sprint("another ", i)
		if answer, err := p.Ask(t.Context(), []byte(question)); answer != question || err != nil {
			t.Errorf("%q: %q, %v", question, answer, err)
		}
	}
}

// With channels, answers may come in any order.
func TestAnswersFindTheirQuestions(t *testing.T) {
	p, _ := newPool(t, Options{Program: program("backwards channels"), Concurrency: 50})
	var wg sync.WaitGroup
	for i := range 49 {
		wg.Go(func() {
			question := fmt.Sprint("question ", i)
			if answer, err := p.Ask(t.Context(), []byte(question)); answer != question || err != nil {
				t.Errorf("%q: %q, %v", question, answer, err)
			}
		})
	}
	eventually(t, "all are answered", func() bool {
		answer, err := p.Ask(t.Context(), []byte("now"))
		if answer != "now" || err != nil {
			t.Errorf("%q, %v", answer, err)
		}
		return p.Stats().Answered > 49 && p.Stats().Children[0].Pending == 0
	})
	wg.Wait()
}

func TestQuestionsThatAreNoLine(t *testing.T) {
	p, _ := newPool(t, Options{Program: program("echo")})
	for _, question := range []string{"two\nlines", "a\rb", "a\x00b", strings.Repeat("x", MaxQuestion)} {
		if answer, err := p.Ask(t.Context(), []byte(question)); err != ErrQuestion {
			t.Errorf("%.20q: %.20q, %v", question, answer, err)
		}
	}
	longest := strings.Repeat("x", MaxQuestion-16)
	if answer, err := p.Ask(t.Context(), []byte(longest)); answer != longest || err != nil {
		t.Errorf("%d bytes, %v", len(answer), err)
	}
}

// What a process says beyond its answer must never be taken for the answer to the
// next question.
func TestMoreThanWasAsked(t *testing.T) {
	for name, c := range map[string]struct {
		o        Options
		question string
		answer   string
		named    string
	}{
		"two lines":            {Options{Program: program("echo")}, `say one\ntwo\n`, "one", "says more than it was asked"},
		"a line and a half":    {Options{Program: program("echo")}, `say one\ntw`, "one", "says more than it was asked"},
		"an unknown channel":   {Options{Program: program("echo channels"), Concurrency: 3}, `say 7 no\n0 yes\n`, "yes", `"7 no" on a channel that is not there`},
		"a negative channel":   {Options{Program: program("echo channels"), Concurrency: 3}, `say -1 no\n0 yes\n`, "yes", "on a channel that is not there"},
		"no channel":           {Options{Program: program("echo", "hello"), Concurrency: 3}, `x`, "", "has no channel number"},
		"another's channel":    {Options{Program: program("echo channels"), Concurrency: 3}, `say 1 no\n`, "", `says "1 no" unasked`},
		"an endless line":      {Options{Program: program("echo")}, `flood`, "", "more than 131072 bytes"},
		"secrets are not told": {Options{Program: program("echo channels"), Concurrency: 3, Secret: true}, `say 1 no\n`, "", "something of 4 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			p, logs := newPool(t, c.o)
			answer, err := p.Ask(t.Context(), []byte(c.question))
			if answer != c.answer || (err == nil) != (c.answer != "") {
				t.Errorf("%q, %v", answer, err)
			}
			eventually(t, c.named, func() bool { return logged(logs, c.named) })
			if name == "no channel" {
				return
			}
			eventually(t, "another process answers", func() bool {
				answer, err := p.Ask(t.Context(), []byte("after"))
				if err == nil && answer != "after" {
					t.Fatalf("the next one was told %q", answer)
				}
				return err == nil
			})
		})
	}
}

// A program gone mad does not fill cache.log.
func TestManyUnknownChannels(t *testing.T) {
	p, logs := newPool(t, Options{Program: program("echo channels"), Concurrency: 3})
	answer, err := p.Ask(t.Context(), []byte("say "+strings.Repeat(`7 no\n`, 10*complaintBurst)+`0 yes\n`))
	if answer != "yes" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
	if n := logs.FilterMessageSnippet("on a channel that is not there").Len(); n != complaintBurst-1 {
		t.Errorf("%d lines", n)
	}
	if !logged(logs, "complains too much") {
		t.Error("it is not said that lines are left out")
	}
}

func TestDeath(t *testing.T) {
	p, logs := newPool(t, Options{Program: program("echo"), Children: 2})
	before := p.Stats().Children
	if _, err := p.Ask(t.Context(), []byte("die")); err != ErrDied {
		t.Errorf("%v, want ErrDied", err)
	}
	eventually(t, "it is named", func() bool { return logged(logs, "exited: exit status 3") })
	eventually(t, "two run again", func() bool { s := p.Stats(); return len(s.Children) == 2 && s.Restarts == 1 })
	if after := p.Stats().Children; after[0].Pid == before[0].Pid || after[0].Number != 2 || after[1].Number != 3 {
		t.Errorf("%+v became %+v", before, after)
	}
}

// Programs that end at once are not started in a frenzy, and nobody waits for them.
func TestDyingAtOnce(t *testing.T) {
	for _, program := range [][]string{program("dying"), {"/nonexistent/program"}} {
		p, logs := newPool(t, Options{Program: program, Children: 5})
		eventually(t, "it is named", func() bool { return logged(logs, "crashing too rapidly") })
		if _, err := p.Ask(t.Context(), []byte("x")); err != ErrDown {
			t.Errorf("%v, want ErrDown", err)
		}
		if n := p.Stats().Restarts; n > 5 {
			t.Errorf("%d restarts", n)
		}
	}
}

func TestSilence(t *testing.T) {
	p, logs := newPool(t, Options{Program: program("echo"), Patience: 20 * time.Millisecond})
	if _, err := p.Ask(t.Context(), []byte("silence")); err != ErrDied {
		t.Errorf("%v, want ErrDied", err)
	}
	if !logged(logs, "owes an answer since 20ms") {
		t.Error("it is not named")
	}
}

// Who has gone is answered to nobody, and not the next one.
func TestCancel(t *testing.T) {
	p, _ := newPool(t, Options{Program: program("echo")})
	file := filepath.Join(t.TempDir(), "go")
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	for range 3 { // one is asked, two wait
		go func() {
			_, err := p.Ask(ctx, []byte("wait "+file))
			gone <- err
		}()
	}
	eventually(t, "two wait", func() bool { return p.Waiting() == 2 })
	cancel()
	for range 3 {
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if p.Waiting() != 0 {
		t.Error("those who have gone still wait")
	}
	os.WriteFile(file, nil, 0o600)
	if answer, err := p.Ask(t.Context(), []byte("next")); answer != "next" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
}

func TestFullQueue(t *testing.T) {
	p, logs := newPool(t, Options{Program: program("echo")})
	file := filepath.Join(t.TempDir(), "go")
	var wg sync.WaitGroup
	for range leastQueue + 1 {
		wg.Go(func() {
			if answer, err := p.Ask(t.Context(), []byte("wait "+file)); answer != "waited" || err != nil {
				t.Errorf("%q, %v", answer, err)
			}
		})
	}
	eventually(t, "the queue is full", func() bool { return p.Waiting() == leastQueue })
	for range 3 {
		if _, err := p.Ask(t.Context(), []byte("x")); err != ErrBusy {
			t.Errorf("%v, want ErrBusy", err)
		}
	}
	os.WriteFile(file, nil, 0o600)
	wg.Wait()
	if n := logs.FilterMessageSnippet("Too many queued").Len(); n != 1 {
		t.Errorf("named %d times", n)
	}
	if !logged(logs, "All tester processes are busy.") {
		t.Error("that all are busy is not named")
	}
	if s := p.Stats(); s.Refused != 3 || s.LongestQueue != leastQueue {
		t.Errorf("%+v", s)
	}
}

// Questions one after the other do not make a full house of one process, though it rests
// after its first answer.
func TestOneAfterTheOther(t *testing.T) {
	p, logs := newPool(t, Options{Program: program("echo"), Children: 1})
	for range 3 {
		if _, err := p.Ask(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if logged(logs, "All tester processes are busy.") {
		t.Error("a process that rests counts as busy")
	}
}

// 64 questions are spread over the processes.
func TestSpread(t *testing.T) {
	for _, o := range []Options{{Program: program("echo"), Children: 8}, {Program: program("echo channels"), Children: 4, Concurrency: 16}} {
		p, _ := newPool(t, o)
		file := filepath.Join(t.TempDir(), "go")
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() { p.Ask(t.Context(), []byte("wait "+file)) })
		}
		eventually(t, "all are asked or wait", func() bool {
			s := p.Stats()
			return s.Queue+int(s.Asked) == 64
		})
		for _, c := range p.Stats().Children {
			if want := max(1, o.Concurrency); c.Pending != want {
				t.Errorf("process %d has %d questions, want %d", c.Number, c.Pending, want)
			}
		}
		os.WriteFile(file, nil, 0o600)
		wg.Wait()
	}
}
