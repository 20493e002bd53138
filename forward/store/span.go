package store

// Span is a part of an object that can be sent now: pieces of memory, or a part
// of a file. Both belong to the store.
type Span struct {
	// Pieces are views of memory in order, none of them empty; nil for a file.
	Pieces [][]byte
	// File: the bytes are in FD from Offset on, for sendfile(2) with an offset of
	// its own; the position of the file is shared by its readers and never used.
	File   bool
	FD     int
	Offset int64
	// Length is how many bytes the span holds, in memory or in the file. It is 0 at
	// the end of the object.
	Length int64
}
