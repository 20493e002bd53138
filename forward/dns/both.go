package dns

import (
	"context"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// aaaaPatience is how much longer than A records we wait for AAAA records:
// some servers never answer that question.
const aaaaPatience = time.Second

// addresses asks for A records and, with both, for AAAA records at the same
// time. An empty outcome is an error.
func (a *asker) addresses(ctx context.Context, name string, both bool) (reply, error) {
	if !both {
		return a.ipv4(ctx, name)
	}
	type outcome struct {
		reply
		err error
	}
	ctx6, cancel := context.WithCancel(ctx)
	defer cancel()
	six := make(chan outcome, 1)
	go func() {
		r, err := a.ask(ctx6, question{name, dnsmessage.TypeAAAA})
		six <- outcome{r, err}
	}()
	four, err := a.ipv4(ctx, name)
	if err == nil || isNotFound(err) {
		patience := time.AfterFunc(aaaaPatience, cancel)
		defer patience.Stop()
		if err != nil {
			cancel() // what does not exist has no record of any type
		}
	}
	r6 := <-six
	switch {
	case err != nil && (r6.err != nil || len(r6.addrs) == 0):
		return reply{}, err
	case err != nil:
		return r6.reply, nil
	case r6.err == nil && len(r6.addrs) > 0:
		four.addrs = append(four.addrs, r6.addrs...)
		four.ttl = min(four.ttl, r6.ttl)
	}
	return four, nil
}

// ipv4 asks for A records; an answer without any is an error.
func (a *asker) ipv4(ctx context.Context, name string) (reply, error) {
	r, err := a.ask(ctx, question{name, dnsmessage.TypeA})
	if err == nil && len(r.addrs) == 0 {
		err = &Error{name, NoData, ""}
	}
	return r, err
}

func isNotFound(err error) bool {
	failed, ok := err.(*Error)
	return ok && failed.Kind == NotFound
}
