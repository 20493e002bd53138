// Package ufs is one cache directory of Squid 2.6 on disk: the format of
// cache_dir types ufs, aufs and diskd, which is one format. What 2.6 wrote on
// x86-64 is read here and what is written here 2.6 reads.
//
// # Layout
//
// A Dir has L1 folders of L2 folders of object files. A file is called by its
// Number; swap.state, a log of Records, says which Number holds which Key.
//
//	layout.go    where a Number lies, and the path of swap.state
//	record.go    a record of swap.state
//	meta.go      the swap header before the reply in an object file
//	folders.go   making the folders (-z), and looking whether they are there
//	numbers.go   which Numbers are in use
//	dir.go       Dir: a directory in use
//	logfile.go   swap.state as it is found, and made anew
//	journal.go   appending to swap.state
//	object.go    an object file that is read
//	create.go    one that is written, or removed
//	rebuild.go   the index, from swap.state (replay.go) and the files (scan.go)
//	compact.go   swap.state anew: rotation, a clean end
//	report.go    what a rebuild found, as lines of cache.log
//
// # Order of writing
//
// What a kill at any moment leaves behind is right, because of three rules:
//
//   - A Record is added when its file is whole.
//   - A Record's deletion is in swap.state before its file goes, and its Number
//     is handed out only after that (Unlink sees to both).
//   - A file is created anew, never overwritten: whoever reads the object that
//     had the Number before keeps reading that one.
//
// Nothing read is believed: Open compares the key, the URL and the length in the
// index with the file's, so that a file of another object, a cut one, or one of
// another machine's Squid is an error and never an answer.
//
// # Use
//
//	d, err := ufs.Open(ufs.Options{Path: "/var/spool/squid", L1: 16, L2: 256})
//	go d.Rebuild(ctx, ufs.Sink{Load: index})
//
//	n, err := d.Allocate()          // then file, offset, err := d.Create(n, &meta),
//	d.Add(&record)                  // and, with the file whole and closed, this
//	o, err := d.OpenObject(n, want, buf, false)
//	d.Delete(&record)               // then, when its last reader has gone,
//	err = d.Unlink(n)
//	err = d.Rewrite(records, true)  // a clean end
//
// A change is made in the caller's index first and then told to Add or Delete, so
// that Rewrite, which walks that index, misses none.
//
// All methods are safe for concurrent use. All but Allocate, Add and Delete wait
// for the disk: callers run them in workers of their own.
package ufs
