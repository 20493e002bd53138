// Package netdb knows how far origins are: round trips and hops to networks of 256
// addresses, as measured from here and as neighbours told. It makes and reads the
// document neighbours exchange (exchange.go) and the file in which a cache keeps
// what it measured (state.go), in 2.6's forms; table.go is the table itself. It
// measures nothing and opens no socket.
package netdb
