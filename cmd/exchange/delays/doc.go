// Package delays plays recordings of Squid 2.6's delay pools through the real binary:
// clients fetch from an origin that is as fast as the proxy reads, and what they get
// over time is held against what the pools promise (testdata/delay). Everything is in
// its test.
//
// A bucket may be filled once a second, as 2.6 does, or as finely as one likes: what has
// arrived must stay between two lines, and the steady rate be right.
package delays
