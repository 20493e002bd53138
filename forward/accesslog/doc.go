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
// All lines with the same path share one File. A line is with the kernel when
// Write returns; writers that come while another one writes share the next
// write (group commit). Lines are whole and in order. When the disk refuses
// (full, for instance), lines are dropped and counted; the first refusal is
// reported, and the end of it with the number of lines that are missing. A line that
// was cut in the middle is ended before the next one.
//
// FIFOs and the system's log have readers that may stall: their lines wait in a
// queue (queue.go) of one megabyte, are dropped above it, and hold up neither requests
// nor the end of the process. The proxy starts without the system's log.
//
// Of control octets none but the tab is in a line as it came (endline.go).
//
// Rotate renames NAME to NAME.0, NAME.0 to NAME.1 and so on, and opens NAME
// anew; with logfile_rotate 0 it only opens NAME anew. A line is either in the
// old file or in the new one, never lost between them.
package accesslog
