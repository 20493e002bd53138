// Command exchange plays scripted HTTP exchanges through a proxy binary and
// compares what happened with a recording of Squid 2.6.
//
//	exchange -bin bin/squid [-only NAME] [-v] testdata/exchange
//
// A scenario is a JSON file: squid.conf lines, scripted origins, and steps (a
// client that sends and reads, signals, rewritten configurations). The player
// starts the real binary, plays the steps on loopback, and collects what the
// origins were asked, what the client received and what was logged. After
// masking what cannot repeat (ports, dates, nonces) the observation is compared
// with the recorded one, in three grades: 1 meaning, 2 field sets and sizes,
// 3 order and spelling. README.md beside the recordings describes the format.
//
// Reading order: scenario.go and placeholders.go (the data), proxy.go (the
// binary under test), origin.go with ftp.go, icp.go and nameserver.go (the
// other side), player.go, client.go and response.go (the script), observe.go and
// maskline.go (masking), view.go and compare.go (grades), run.go (grouping and
// workers). The package's test runs it all in continuous integration.
package main
