// Package privsep separates the privileges of a running copy, as OpenSSH does:
// the serving process gives root up for good, and what needs root afterwards is
// done by a small process of the same binary, the monitor, that stays root and
// does only a few named things.
//
// Reading order:
//
//	identity.go  who the serving process is to be
//	rights.go    becoming that user, with the capabilities it needs and no way back
//	monitor.go   the serving process's side: the named things, and asking for them
//	serve.go     the monitor: what it grants, by its own reading of the configuration
//	path.go      opening, renaming and removing by descriptors of folders, so that
//	             no path leads the monitor elsewhere
//	spawner.go   the process that starts helper programs, which may gain rights
//	pidfile.go   the pid file
//	world.go     the machine as conf.Load sees it from either side
package privsep
