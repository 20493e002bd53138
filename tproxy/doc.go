// Package tproxy is the Linux side of transparent interception: sockets that take
// connections meant for others, and connections made in a client's name.
//
// Receiving. Listen opens the sockets of a port; OriginalDestination tells for an
// accepted connection where its client wanted to go: the socket's own address
// when a TPROXY rule diverted it, connection tracking's record after REDIRECT, and
// "nowhere else" for a client that chose this proxy itself. One port serves all of
// them; the decision is made per connection.
//
// Sending. A Dialer connects with the client's address (IP_TRANSPARENT), leaves
// the port to connect time (IP_BIND_ADDRESS_NO_PORT), marks the socket as ours
// and, when ports run out, tries others before it reports ErrNoLocalPort.
// Own keeps the host's addresses and the proxy's listeners, so that the
// proxy never spoofs itself nor connects to itself.
//
// Beside this package:
//
//	gre       packets of a WCCP router: codec, decapsulation in the process, return
//	host      the rules, routes and sysctls interception needs: checked, set, undone
//	rights    capabilities: which are needed, kept on every thread, named when missing
//	netlab    networks of namespaces for tests and the demonstration
//
// The numbers in comments ("fact 13") are those of the project's list of facts
// about TPROXY on current kernels; the tests here show the same on the running one.
package tproxy
