package index

// Record is what is known of an object. Its fields are guarded by the lock of its
// shard.
type Record struct {
	// Key is its MD5 digest.
	Key [16]byte
	// Disk are its links in the order of its directory.
	Disk Links
	// Memory is the first page of it in memory, 0 for none.
	Memory uint32
	place  uint32 // directory+1 in 8 bits, number of the file in 24; 0 for none
	size   uint32
	size2  uint16 // 16 higher bits
	// Pins is how many readers it has.
	Pins uint16
	// Timestamp, LastRef, Expires and LastMod are seconds since 1970.
	Timestamp, LastRef, Expires, LastMod uint32
	// Refs is how often it was used.
	Refs  uint16
	flags uint16 // detached in the highest bit
}

// detached marks a record nobody finds; 2.6 has fifteen flags.
const detached = 1 << 15

// MaxSize is the largest size of a file that is kept, in bytes.
const MaxSize = 1<<48 - 1

// Size is the size in bytes: that of the file when there is one, of head and body
// otherwise.
func (r *Record) Size() int64 { return int64(r.size2)<<32 | int64(r.size) }

// SetSize sets Size, which is at most MaxSize.
func (r *Record) SetSize(n int64) {
	n = min(max(n, 0), MaxSize)
	r.size, r.size2 = uint32(n), uint16(n>>32)
}

// Flags are those of the object.
func (r *Record) Flags() uint16 { return r.flags &^ detached }

// SetFlags sets them.
func (r *Record) SetFlags(f uint16) { r.flags = r.flags&detached | f&^detached }

// Detached reports whether the record is pinned only: nobody finds it.
func (r *Record) Detached() bool { return r.flags&detached != 0 }

// MaxDirs is how many directories there can be, and MaxNumber the largest number
// a file can have.
const (
	MaxDirs   = 64
	MaxNumber = 1<<24 - 1
)

// OnDisk tells the directory and the number of the object's file.
func (r *Record) OnDisk() (dir int, number uint32, ok bool) {
	return int(r.place>>24) - 1, r.place & MaxNumber, r.place != 0
}

// SetDisk says which file it has.
func (r *Record) SetDisk(dir int, number uint32) {
	r.place = uint32(dir+1)<<24 | number&MaxNumber
}

// ClearDisk says that it has none.
func (r *Record) ClearDisk() { r.place = 0 }
