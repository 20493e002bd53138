// Command squid is the proxy, started, asked and stopped the way the Squid 2.6
// binary is: the same flags, the same -k words, the same exit statuses, the
// same pid file and the same signals, so that init scripts, logrotate
// fragments and fingers need not learn anything.
//
// Reading order:
//
//	main.go       one invocation, from the arguments to an exit status
//	flags.go      the command line
//	orders.go     the words of -k
//	copy.go       the running copy: who it is, and sending it a signal
//	swapdirs.go   -z
//	start.go      the life of a serving process, top to bottom
//	run.go        serving: signals, reconfigure, rotation, shutdown
//	daemon.go     the supervisor and its worker
//	privsep       giving root up, and the monitor that stays root
//	intercept     the host's network of a running copy: sockets, GRE, WCCP, rules
//	setup.go      -k setup and teardown; preflight.go, checkconfig.go, parse.go
//	control.go    the questions a running copy answers (-k wccp, -k network)
//	cachelog.go   cache.log: zap lines in Squid's form
//
// Nothing in this command knows HTTP, WCCP or TPROXY: it loads a conf.Config,
// builds the rooms from it and hands one's implementation to the other.
package main
