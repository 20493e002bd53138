package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"golang.org/x/net/dns/dnsmessage"
)

// failureTries is how often a question is repeated after "server failure".
const failureTries = 3

// asker puts questions to the servers of the configuration: which server, how
// often, how long, and under which names.
type asker struct {
	servers    []netip.AddrPort
	retransmit time.Duration
	timeout    time.Duration
	search     []string
	dots       int
	net        exchanger
	trace      report.Section
	counts     []serverCounts // one a server
	rcodes     [rcodeKinds][failureTries]atomic.Uint64
}

// serverCounts counts the traffic with one server.
type serverCounts struct {
	queries, replies atomic.Uint64
	silence          silence
}

// rcodeKinds is how many response codes the statistics tell apart (0 to 5).
const rcodeKinds = 6

func newAsker(o *Options, net exchanger) *asker {
	return &asker{
		servers: o.Servers, retransmit: o.Retransmit, timeout: o.Timeout,
		search: o.Search, dots: o.Dots, net: net, trace: o.Trace,
		counts: make([]serverCounts, len(o.Servers)),
	}
}

// ask finds the records of a name, trying the search list as 2.6 does: first
// for a name with too few dots, later for a name that does not exist.
func (a *asker) ask(ctx context.Context, q question) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	var last error
	for _, name := range a.spellings(q) {
		r, err := a.askOne(ctx, question{name, q.class}, q.name)
		if err == nil {
			return r, nil
		}
		var failed *Error
		if !errors.As(err, &failed) || failed.Kind != NotFound {
			return reply{}, err
		}
		last = err
	}
	return reply{}, last
}

// spellings lists the names to ask for.
func (a *asker) spellings(q question) []string {
	if len(a.search) == 0 || q.class == dnsmessage.TypePTR {
		return []string{q.name}
	}
	names := make([]string, 0, len(a.search)+1)
	bareFirst := strings.Count(q.name, ".") >= a.dots
	if bareFirst {
		names = append(names, q.name)
	}
	for _, domain := range a.search {
		if name := canonical(q.name + "." + strings.TrimPrefix(domain, ".")); askable(name) {
			names = append(names, name)
		}
	}
	if !bareFirst {
		names = append(names, q.name)
	}
	return names
}

// askOne asks the servers in turn until one gives a usable answer or ctx ends.
// shown is the name errors speak of.
func (a *asker) askOne(ctx context.Context, q question, shown string) (reply, error) {
	failures, refused := 0, 0
	for send := 0; ; send++ {
		server := send % len(a.servers)
		r, err := a.attempt(ctx, server, send/len(a.servers), q)
		if err != nil {
			if over(ctx) {
				return reply{}, &Error{shown, TimedOut, a.servers[server].String() + ": " + err.Error()}
			}
			continue
		}
		a.countCode(r.rcode, failures)
		switch r.rcode {
		case dnsmessage.RCodeSuccess:
			return r, nil
		case dnsmessage.RCodeNameError:
			return reply{}, &Error{shown, NotFound, ""}
		case dnsmessage.RCodeServerFailure:
			if failures++; failures < failureTries {
				continue
			}
			return reply{}, &Error{shown, ServerFailure, a.servers[server].String()}
		case dnsmessage.RCodeRefused:
			if refused++; refused < len(a.servers) {
				continue
			}
			return reply{}, &Error{shown, Refused, a.servers[server].String()}
		default:
			return reply{}, &Error{shown, ServerFailure,
				a.servers[server].String() + ": response code " + strconv.Itoa(int(r.rcode))}
		}
	}
}

// over reports whether ctx has ended, or would if its timer were as quick as that of
// an attempt that ends at the same moment.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// attempt asks one server once and always lasts as long as that attempt may,
// unless an answer comes: a server that is down must not make us spin.
func (a *asker) attempt(ctx context.Context, server, round int, q question) (reply, error) {
	wait := min(a.retransmit, a.timeout) // a shift of what is at most a day cannot overflow
	if wait < 24*time.Hour {
		wait <<= min(round, 16)
	}
	attempt, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	counts, put := &a.counts[server], time.Now()
	counts.queries.Add(1)
	if a.trace.On(3) {
		a.trace.Say(3, "idnsSendQuery: asking {server} about {class} of {name}",
			zap.Stringer("server", a.servers[server]), zap.String("class", fmt.Sprint(q.class)), zap.String("name", q.name))
	}
	r, err := a.net.exchange(attempt, a.servers[server], q)
	if a.trace.On(3) {
		a.trace.Say(3, "idnsGrokReply: {server} about {class} of {name} after {time}: {answer}, code {code}, {error}",
			zap.Stringer("server", a.servers[server]), zap.String("class", fmt.Sprint(q.class)), zap.String("name", q.name), zap.Duration("time", time.Since(put)),
			zap.String("answer", fmt.Sprint(r.addrs)+r.name), zap.Uint16("code", uint16(r.rcode)), report.Error(err))
	}
	if err == nil {
		counts.replies.Add(1)
		counts.silence.answered(q.class == dnsmessage.TypeAAAA, time.Now())
		return r, nil
	}
	if q.class == dnsmessage.TypeAAAA && attempt.Err() != nil && ctx.Err() == nil {
		counts.silence.missed(put, time.Now())
	}
	if len(a.servers) > 1 && round == 0 {
		return reply{}, err // someone else may answer at once
	}
	<-attempt.Done()
	return reply{}, err
}

func (a *asker) countCode(rcode dnsmessage.RCode, attempt int) {
	if int(rcode) < rcodeKinds {
		a.rcodes[rcode][min(attempt, failureTries-1)].Add(1)
	}
}
