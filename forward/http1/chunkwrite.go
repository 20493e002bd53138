package http1

import "strconv"

// LastChunk ends a chunked body without trailer.
const LastChunk = "0\r\n\r\n"

// ChunkEnd stands behind the data of every chunk.
const ChunkEnd = "\r\n"

// AppendChunkSize appends the size line of a chunk of n > 0 bytes. The data and
// ChunkEnd follow.
func AppendChunkSize(dst []byte, n int) []byte {
	return append(strconv.AppendUint(dst, uint64(n), 16), "\r\n"...)
}
