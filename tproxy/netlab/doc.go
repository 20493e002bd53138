// Package netlab builds small networks out of Linux network namespaces, for
// tests and for the demonstration.
//
// A Lab owns Nodes (one namespace each), joined by veth pairs or bridges:
//
//	lab, err := netlab.New("demo")        // or netlab.ForTest(t)
//	defer lab.Close()
//	client := lab.Node("client")
//	router := lab.Node("router")
//	lab.Link(netlab.End{Node: client, Name: "eth0", Addrs: []string{"10.1.0.2/24"}},
//		netlab.End{Node: router, Name: "lan0", Addrs: []string{"10.1.0.1/24"}})
//	client.Route("default", "10.1.0.1")
//	router.Sysctl("net.ipv4.ip_forward", "1")
//	if err := lab.Err(); err != nil { ... }
//	proc, err := router.Start(exec.Command("squid", "-N"))
//	err = client.Do(func() error { conn, err = net.Dial("tcp4", "10.2.0.2:80"); return err })
//
// Building does not return an error from every step: the first failure is kept
// and every later step does nothing, so that a lab reads as the picture it
// builds; Err tells, and ForTest fails the test at once.
//
// A namespace belongs to a thread. Do therefore locks the goroutine to its
// thread, enters the namespace, calls the function and goes back. A socket opened
// there stays in the namespace and may be used anywhere afterwards; a goroutine
// started there runs on another thread, outside of it.
//
// Links carry packets as a wire would: checksums are complete and no packet is
// larger than the MTU, since offloads are switched off.
//
// Namespaces are named prefix-PID-number-node. Close removes them with every process
// that still runs inside. What a killed program left behind is removed by the
// next lab with the same prefix, once no process with that PID exists.
//
// Everything here needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN).
package netlab
