package index

import (
	"sync"
	"unsafe"
)

// slabs are the memory of all records, outside Go's heap: a collection takes no
// longer for a full index, and the heap may not grow by as much again.
type slabs struct {
	mu     sync.Mutex
	chunks [][]byte
	used   int // bytes of the last chunk
}

type slab [slabLen]Record

const (
	slabSize   = int(unsafe.Sizeof(slab{}))
	slabsChunk = 16 // got from the kernel at once
)

// take gives a slab of zeroes, nil when the kernel has no memory.
func (m *slabs) take() *slab {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.chunks) == 0 || m.used == slabSize*slabsChunk {
		chunk, err := mapMemory(slabSize * slabsChunk)
		if err != nil {
			return nil
		}
		m.chunks, m.used = append(m.chunks, chunk), 0
	}
	at := &m.chunks[len(m.chunks)-1][m.used]
	m.used += slabSize
	return (*slab)(unsafe.Pointer(at))
}

// giveBack gives the memory back when nobody can reach it any more.
func (m *slabs) giveBack() {
	for _, chunk := range m.chunks {
		unmapMemory(chunk)
	}
	m.chunks = nil
}
