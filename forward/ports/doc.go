// Package ports keeps the listening sockets of the http_port lines: opened at the
// start, taken over by the lines of another configuration that ask for the same
// address, closed when no line does.
//
// A port that cannot be had ends nothing while another one listens (2.6 serves on
// too). It is named in cache.log by 2.6's line, and tried again until it can be had:
// the address may come with an interface, the program that has it may go.
package ports
