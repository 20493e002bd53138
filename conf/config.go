// Package conf turns the syntax tree of a squid.conf into a typed Config.
package conf

// HTTPPort is one http_port line.
type HTTPPort struct{}
