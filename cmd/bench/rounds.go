package main

import (
	"math"
	"slices"
)

// rounds are the figures of several rounds, by the name of the contender.
type rounds struct {
	names        []string
	cost, volume map[string][]float64
}

func newRounds() *rounds {
	return &rounds{cost: map[string][]float64{}, volume: map[string][]float64{}}
}

// add notes one round: microseconds a request and requests a second.
func (r *rounds) add(name string, cost, volume float64) {
	if len(r.cost[name]) == 0 {
		r.names = append(r.names, name)
	}
	r.cost[name] = append(r.cost[name], cost)
	r.volume[name] = append(r.volume[name], volume)
}

// table gives the better quartile of each figure, for what disturbs a round only
// ever makes it worse, and the ratio of each cost to that of the contender which
// the function to names.
func (r *rounds) table(ratio string, to func(name string) string) *table {
	t := newTable("us/request", ratio, "requests/s")
	for _, name := range r.names {
		cost, other := quantile(r.cost[name], 0.25), quantile(r.cost[to(name)], 0.25)
		if other == 0 {
			other = math.NaN() // it does not take part
		}
		t.add(name, []float64{cost, cost / other, quantile(r.volume[name], 0.75)})
	}
	return t
}

// added gives the costs, and by how much each is above that of the contender which the
// function from names, in the same round: half of the rounds saw more.
func (r *rounds) added(from func(name string) string) *table {
	t := newTable("us/request", "us more", "requests/s")
	for _, name := range r.names {
		more, without := slices.Clone(r.cost[name]), r.cost[from(name)]
		more = more[:min(len(more), len(without))]
		for i := range more {
			more[i] -= without[i]
		}
		t.add(name, []float64{quantile(r.cost[name], 0.25), quantile(more, 0.5), quantile(r.volume[name], 0.75)})
	}
	return t
}

// quantile is the value below which a share of the values lies; 0 of none.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(share*float64(len(sorted)-1))]
}
