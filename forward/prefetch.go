package forward

import "github.com/cuttle-proxy/cuttle/forward/http1"

// prefetched is the second of two pipelined requests, on its way while the
// first is being answered (pipeline_prefetch). It may do everything but write
// to the client before its turn has come.
type prefetched struct {
	x    *transaction
	done chan struct{}
	keep bool
}

// prefetch starts on the request behind x when there is a complete one in the
// buffer and pipeline_prefetch is on. More than one is never ahead, as in 2.6.
func (x *transaction) prefetch() *prefetched {
	if !x.p.cfg.PipelinePrefetch || x.fault != http1.NoFault || x.readsClient() {
		return nil
	}
	options := x.p.request
	body, fault := x.req.Body(&options)
	if fault != http1.NoFault || !x.req.Persistent(x.req.Major, x.req.Minor, x.port.HTTP11) {
		return nil // the first answer will be the last
	}
	behind := x.in[min(len(x.in), x.head+int(body.Length)):]
	if len(behind) == 0 {
		return nil
	}
	cl := x.cl
	next := cl.srv.newTransaction(cl)
	next.in = append(next.in[:0], behind...)
	if next.parse() != http1.Complete || next.fault != http1.NoFault || next.readsClient() {
		next.free()
		return nil
	}
	next.out.gate = make(chan struct{})
	ahead := &prefetched{x: next, done: make(chan struct{})}
	// The first one is asked for first.
	begin := make(chan struct{})
	x.out.taken = begin
	go func() {
		defer close(ahead.done)
		defer cl.recover()
		<-begin
		ahead.keep = next.cl.carry(next)
	}()
	return ahead
}

// follow lets the prefetched answer out behind the first one, whose transaction
// it replaces. When the first one ends the connection nobody will read the
// second.
func (cl *client) follow(ahead *prefetched, keep bool) bool {
	cl.x.out.letNextBegin()
	if !keep {
		cl.gone.Store(true)
		cl.abortFetches()
	}
	close(ahead.x.out.gate)
	<-ahead.done
	cl.x.free()
	cl.x = ahead.x
	cl.served++
	return keep && ahead.keep
}
