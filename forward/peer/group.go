package peer

// groupCount is how many members of a multicast group answer, as counted now and
// then. Peer.mu guards it.
type groupCount struct {
	times   int     // counts so far
	average float64 // members
}

// countWeight is how many counts the average has the weight of.
const countWeight = 10

// groupSize is the number of answers expected of a multicast group.
func (p *Peer) groupSize() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int(p.counted.average)
}

// noteMembers keeps that so many members answered a count.
func (p *Peer) noteMembers(n int) (average float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counted.times++
	weight := float64(min(p.counted.times, countWeight))
	p.counted.average += (float64(n) - p.counted.average) / weight
	return p.counted.average
}
