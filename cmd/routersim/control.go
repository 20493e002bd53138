package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// longestOrder bounds a line of the control socket; an injected datagram fits.
const longestOrder = 256 << 10

// serveControl listens on a Unix socket for orders, one a line.
func (l *lab) serveControl(ctx context.Context, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	var talks sync.WaitGroup // an order to quit is answered, too
	defer talks.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		talks.Go(func() { l.converse(ctx, conn) })
	}
}

// answering bounds the writing of an answer once the program is ending.
const answering = time.Second

// converse answers the orders of one connection. The end of ctx is that of reading
// them.
func (l *lab) converse(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() {
		conn.SetReadDeadline(time.Unix(1, 0))
		conn.SetWriteDeadline(time.Now().Add(answering))
	})()
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, longestOrder)
	for lines.Scan() {
		if err := json.NewEncoder(conn).Encode(l.reply(lines.Text())); err != nil {
			return
		}
	}
}

// reply is what an order is answered with.
func (l *lab) reply(line string) any {
	result, err := l.obey(line)
	l.events.obeyed(line, err)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return result
}

// later obeys a planned command when its time has come.
func (l *lab) later(ctx context.Context, p planned) error {
	timer := time.NewTimer(p.after)
	defer timer.Stop()
	select {
	case <-timer.C:
		_, err := l.obey(p.command)
		l.events.obeyed(p.command, err)
		return err
	case <-ctx.Done():
		return nil
	}
}

// control is the other end: it sends one order and prints the answer.
func control(args []string, out io.Writer) error {
	if len(args) < 2 {
		return fmt.Errorf("want: routersim ctl SOCKET COMMAND; commands:\n%s", orderHelp())
	}
	conn, err := net.Dial("unix", args[0])
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, strings.Join(args[1:], " ")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil && answer == "" {
		return fmt.Errorf("no answer: %w", err)
	}
	fmt.Fprint(out, answer)
	if strings.HasPrefix(answer, `{"error":`) {
		return errors.New("the command failed")
	}
	return nil
}
