// Package store is the cache: an index of objects, their bytes in memory and on
// disk, and which of them leave when room is needed. It knows keys, heads as
// bytes and times; what is fresh, what may be stored and which variant serves a
// request are decided by its callers.
//
// # The life of an entry
//
// An entry is one object on its way into the cache. It has one writer, the
// fetch that holds its permit, and any number of readers. Its phases, and the
// calls legal in each:
//
//	Pending     Store.Begin made it: no head yet. The writer may call Publish,
//	            Withdraw or Abort. Store.Lookup shows it, as Waiting, only if it
//	            was begun as Collapsed; such a reader may call AwaitHead and Close,
//	            and when the head is there (or will never be) it selects again.
//	Streaming   Publish gave it its head, which is frozen. The writer may call
//	            Append, Pace, Complete and Abort; readers Head, Metadata, Next,
//	            Advance and Close. Store.Lookup shows it, as Joined, while byte 0
//	            is held and the whole is expected to be kept.
//	Complete    All bytes are here. The writer has none of its calls any more. Readers
//	            go on as before. From here on the object is in the index alone: a
//	            later reader (Hit) pins its record and needs no Entry.
//	Aborted     The writer called Abort, or the last reader left and quick_abort_*
//	            ended it. Readers get the bytes that came and then ErrAborted, never
//	            a clean end. Nothing stays in the index.
//	Obsolete    Store.Purge, or a newer object under the same key, took its name away
//	            while it was Pending or Streaming. Writer and readers go on as in
//	            that phase, but nobody finds it and nothing stays when it ends.
//
// Pending goes to Streaming, Streaming to Complete or Aborted, Pending also to
// Aborted. Obsolete is a mark beside these, never taken away.
//
// # Calls
//
//	Open(Config) (*Store, error), Reconfigure(Config) error, Rotate(), Rebuilt(), Stats(), Close() error
//
//	Store.Lookup(now, Key, url, *Reader) Found   Miss | Hit | Joined | Waiting; the reader is
//	                                     pinned to what was found, Close gives it back
//	Store.Begin(Opening, Filler, *Reader) *Entry
//	                                     a fetch begins, with the permit up; the reader is its
//	                                     client's, nil for none
//	Store.Put(*Opening, *Head, body)     an object that is whole and that nobody waits for
//	Store.Purge(Key) bool                PURGE, CLR, unsafe methods
//	Store.Refresh(*Reader, *Head) bool   a 304 brought another head for a whole object
//
//	Entry.Publish(*Head) (kept bool)     Pending -> Streaming
//	Entry.Withdraw()                     it proved unstorable: waiters select again
//	Entry.Append([]byte) (held bool)     more of the body; false: the one reader there is
//	                                     gets these bytes from the caller, and Advance is called
//	Entry.Pace(context) error            the fetch's own goroutine, before it reads on
//	Entry.Complete()                     the body ended as its framing says
//	Entry.Abort(error)                   it did not
//	Entry.Take() bool, Put() bool, Own() the permit
//
//	Reader.Load(context, url) error      after Hit: opens what is on disk; an error is a miss
//	Reader.AwaitHead(context) error      after Waiting; then Close and Lookup again
//	Reader.Metadata, Head, Vary, Length     (-1 unknown), InMemory
//	Reader.Next(context, limit) (Span, error), Poll(limit), Advance(n)
//	Reader.SeekTo(offset)                for a range
//	Reader.Close() (goesOn bool)         gives back what was pinned. For the last reader of an
//	                                     Entry this is leaving: the quick_abort decision
//
// # The permit
//
// Every entry has one writer's permit. A fetch begins in the goroutine of the
// client that caused it: that takes the permit (Entry.Take) to read from the
// origin and append, and puts it down (Entry.Put) before writing to its client.
// Who joins or leaves while the permit is down starts the fetch's own goroutine
// (Filler.Fill), which has the permit until the entry ends; while it is up, the
// entry notes that it is wanted and calls Filler.Wake, whose deadline ends the
// read under way, and the next Put starts that goroutine. After that Take is
// false: the client's goroutine is a reader as any other, at the offset it had.
// No connection is closed for a hand-over.
//
// # Bytes
//
// Reader.Next gives either pieces, views of the store's memory made for one
// writev, or a descriptor with offset and length for sendfile. Both live until
// the next Next, Advance or Close of that reader.
//
// Memory is an arena of pages outside Go's heap, as large as cache_mem says
// (in race builds inside it: the detector sees no other memory). A freed page is
// poisoned in race builds and counts up its generation, which readers check.
// When no page can be had, storing ends and those who read get every byte
// through a few pages lent for it.
//
// # Disk
//
// Files are read and written by a bounded set of workers. A write that finds
// their queue full ends storing, a read a miss; both are counted. Nothing a
// client waits for waits for a write. The number of a file is free again after
// the last reader of it. A directory that fails is taken out and told once.
//
// # Files
//
//	key.go, metadata.go, config.go, event.go, errors.go   what goes in and out
//	store.go      the whole; lookup.go asks it, purge is there too
//	put.go        an object that is whole at once
//	entry.go      an object on its way: writer.go, body.go (its pages), permit.go, pace.go,
//	              leave.go, settle.go (what stays of it)
//	reader.go     one client's: whole.go (in memory), load.go and promote.go (from disk),
//	              fileread.go, openfiles.go
//	object.go     an object in pages; room.go makes room for more; refresh.go shares a body
//	disks.go      the directories: directory.go is what one must offer, dirs.go takes them into
//	              use, rebuild.go reads them, choose.go chooses one, swapout.go writes,
//	              janitor.go removes; workers.go
//	stats.go
package store
