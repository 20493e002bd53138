package main

import "fmt"

// table is rows of numbers under one heading; the second column may be ratios
// of the first.
type table struct {
	columns []string
	names   []string
	rows    [][]float64
}

func newTable(columns ...string) *table { return &table{columns: columns} }

func (t *table) add(name string, row []float64) {
	t.names, t.rows = append(t.names, name), append(t.rows, row)
}

// ratios fills the second column with the first divided by that of one row.
func (t *table) ratios(to string) {
	for i, name := range t.names {
		if name == to {
			for _, row := range t.rows {
				row[1] = row[0] / t.rows[i][0]
			}
		}
	}
}

func (t *table) print() {
	width := 22
	for _, name := range t.names {
		width = max(width, len(name))
	}
	fmt.Printf("  %-*s", width, "")
	for _, c := range t.columns {
		fmt.Printf(" %18s", c)
	}
	fmt.Println()
	for i, name := range t.names {
		fmt.Printf("  %-*s", width, name)
		for _, v := range t.rows[i] {
			fmt.Printf(" %18.2f", v)
		}
		fmt.Println()
	}
	fmt.Println()
}
