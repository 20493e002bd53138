// Package helper runs the programs that squid.conf names (rewriters,
// authenticators, external ACLs) and asks them questions, a line each, in the
// line protocols of Squid 2.6:
//
//	QUESTION            ANSWER              one at a time
//	0 QUESTION          0 ANSWER            with concurrency: channel numbers
//	YR …  KK …          TT …  AF …          stateful: two questions of one client
//
// A Pool is the processes of one program. Ask takes a process that is free, or
// waits in a queue for one; Reserve takes a process for several questions
// (Session). A question and its answer can never be told apart from those of
// another client by anything but their order, so a process that says more than it
// was asked is ended and replaced: what it says next could be taken for the
// answer to somebody else's question.
//
// Who asks reads the answer himself where one question is under way at a time; a
// goroutine of the process reads while nobody asks (reading.go).
//
// Everything has a bound: the length of lines, the queue, the time an answer may
// take, how fast a process that dies is started again. What exceeds one gets an
// error that says so, and a line in cache.log.
//
// Programs are started by a Spawner: Exec does it in this process; a process made
// before this one gave up its privileges (ServeSpawner at its end, Remote at ours)
// starts programs that are set-user-id, and ends them all when this process ends
// in whatever way.
package helper
