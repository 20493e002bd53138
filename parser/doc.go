// Package parser turns the text of a squid.conf into a syntax tree. It knows the
// lexical rules of Squid 2.6 and nothing about any directive.
package parser
