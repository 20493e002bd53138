package main

import "slices"

// rounds are the rows of several rounds; the second column may be ratios of the
// first within a round.
type rounds struct {
	columns []string
	names   []string
	rows    map[string][][]float64 // by name, one of each round
}

func newRounds(columns ...string) *rounds {
	return &rounds{columns: columns, rows: map[string][][]float64{}}
}

func (r *rounds) add(name string, row ...float64) {
	if len(r.rows[name]) == 0 {
		r.names = append(r.names, name)
	}
	r.rows[name] = append(r.rows[name], row)
}

// ratios fills the second column with the first divided by that of another name
// in the same round.
func (r *rounds) ratios(to string) {
	for _, name := range r.names {
		for i, row := range r.rows[name] {
			if i < len(r.rows[to]) {
				row[1] = row[0] / r.rows[to][i][0]
			}
		}
	}
}

// median is the table of each column's middle value.
func (r *rounds) median() *table {
	t := newTable(r.columns...)
	for _, name := range r.names {
		middle := make([]float64, len(r.columns))
		for column := range middle {
			var values []float64
			for _, row := range r.rows[name] {
				values = append(values, row[column])
			}
			slices.Sort(values)
			middle[column] = values[len(values)/2]
		}
		t.add(name, middle)
	}
	return t
}
