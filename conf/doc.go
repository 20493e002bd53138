// Package conf turns the syntax tree of a squid.conf into a typed Config.
package conf
