package store

import (
	"encoding/json"
	"fmt"
	"io"
)

// HitRatio is the share of lookups that found a whole object, 0 to 1; 0 without
// lookups. Joined and waiting ones are no hits.
func (st *Stats) HitRatio() float64 {
	hits := st.MemoryHits + st.DiskHits
	all := hits + st.Misses + st.Joined + st.Waited
	if all == 0 {
		return 0
	}
	return float64(hits) / float64(all)
}

// WriteText renders the state of the store for people (squid -k store).
func (st *Stats) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "objects: %d, %d of them in memory; %d more are only being read\n", st.Objects, st.InMemory, st.Pinned)
	page := int64(st.PageSize)
	fmt.Fprintf(w, "memory: %d of %d KB; %d objects left it for others, %d times no page could be had\n",
		int64(st.MemoryPages)*page>>10, int64(st.MemoryLimit)*page>>10, st.MemoryEvictions, st.NoPage)
	fmt.Fprintf(w, "parts: %d bodies are not whole yet, %d KB of memory beside that\n", st.Joining, (st.JoiningBytes+1023)>>10)
	fmt.Fprintf(w, "lookups: %.1f%% hits (%d in memory, %d on disk), %d misses, %d joined a fetch, %d waited for one, %d found another URL\n",
		100*st.HitRatio(), st.MemoryHits, st.DiskHits, st.Misses, st.Joined, st.Waited, st.Collisions)
	fmt.Fprintf(w, "fetches: %d begun, %d stored, %d aborted (%d by quick_abort), %d readers ended that took nothing\n",
		st.Begun, st.Stored, st.Aborted, st.QuickAborts, st.Stalled)
	fmt.Fprintf(w, "disk: %d reads and %d writes wait, %d files open; %d objects brought into memory, %d files were not what the index says\n",
		st.Reads, st.Writes, st.OpenFiles, st.SwapIns, st.SwapFails)
	_, err := fmt.Fprintf(w, "not written: %d for the queue, %d for clients that would have waited, %d for max_open_disk_fds, %d without a file number; not read: %d for the queue\n",
		st.WriteQueueFull, st.SlowDisk, st.TooManyFiles, st.Unallocated, st.ReadQueueFull)
	if len(st.Dirs) == 0 {
		_, err = fmt.Fprintln(w, "cache_dir: none that keeps anything")
	}
	for i := range st.Dirs {
		d := &st.Dirs[i]
		_, err = fmt.Fprintf(w, "cache_dir %s: %d objects, %d of %d KB, %s\n", d.Path, d.Objects, d.Size>>10, d.MaxSize>>10, d.state())
	}
	if st.Faults > 0 {
		_, err = fmt.Fprintf(w, "FAULTS of the program, please report: %d\n", st.Faults)
	}
	return err
}

func (d *DirStats) state() string {
	switch {
	case d.TakenOut:
		return "taken out (cache.log says why)"
	case !d.Rebuilt:
		return "being rebuilt"
	case d.ReadOnly:
		return "in use, read-only"
	}
	return "in use"
}

// WriteJSON renders it for programs: the fields of Stats, and HitRatio.
func (st *Stats) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(struct {
		*Stats
		HitRatio float64
	}{st, st.HitRatio()})
}
