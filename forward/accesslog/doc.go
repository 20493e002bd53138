// Package accesslog writes what Squid 2.6 writes about each request: access_log
// in the native, the common and any logformat format, useragent_log and
// referer_log, and about the objects of its cache in cache_store_log, byte for byte.
//
// # Use
//
//	logs, err := accesslog.Open(cfg, accesslog.Env{...})
//	for _, line := range logs.Lines() {     // in the order of squid.conf
//		if !matches(line.Conf.ACLs) {
//			continue
//		}
//		if line.Conf.Kind == conf.LogNone {
//			break                           // later lines stay silent too
//		}
//		line.Write(&entry)
//	}
//
// useragent_log and referer_log are written by Agent, once http_access has let
// the request in.
//
// The caller chooses the lines, since only it can check access lists. An Entry
// is a plain struct to be reused; formatting appends to a slice it keeps and
// allocates nothing once that has grown.
//
// # Files
//
// All lines with the same path share one File. Writers append complete lines
// to its buffer under a mutex held for a copy; the write to disk happens
// outside of it, when the buffer is half full or a fraction of a second after
// the first line entered it. Lines are whole and in order. When the disk
// cannot keep up, writers wait; nothing is held without bound. When it refuses
// (full, for instance), lines are dropped and counted, and the first refusal
// is reported; a line that was cut in the middle is ended before the next one.
// The system's log is such a disk too: the proxy starts without it.
//
// Rotate renames NAME to NAME.0, NAME.0 to NAME.1 and so on, and opens NAME
// anew; with logfile_rotate 0 it only opens NAME anew. A line is either in the
// old file or in the new one, never lost between them.
package accesslog
