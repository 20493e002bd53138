// Package tunnel joins two connections, and looks at the first bytes of one to see
// whether it is to be joined to another unread.
package tunnel
