// Package peers plays recordings of Squid 2.6 among its neighbours through the real
// binary: scripted neighbours that speak ICP, HTCP and HTTP, an origin, a name server,
// and what 2.6 did (testdata/peer). Everything is in its test. Each scenario has a
// network namespace of its own, in which addresses and ports are always those of the
// recording; that needs root.
//
// What is compared: which way each request went, who was asked what and where, what
// was answered, what is in a digest, and access.log's code, URL and hierarchy field.
package peers
