// Command bench measures what the proxy costs beside others on the same machine
// in the same run: processor time per small request, on kept connections and on
// new ones, per hit in memory and on disk, per miss that is stored, processor time
// per gigabyte of bulk and of CONNECT tunnels, and resident memory per idle client.
//
//	bench -bin bin/squid [-against other/squid] [-rounds 100] [-only small,fresh,rewrite,channels,login,hit,hit32,freshhit,store,storefull,disk,bulk,connect,idle,tls,tlsbulk,tlsidle]
//	      [-with nginx,haproxy,trafficserver,squid]
//
// Origin and clients live in this process, the proxy in its own; only the
// proxy's processes are counted (user plus system time from /proc). The others
// run when they are installed: nginx and haproxy as reverse proxies with kept
// connections, trafficserver as a cache in front of the origin, Debian's squid as
// what it is. All log every request at once, but for trafficserver, which gathers at
// least a handful of lines. Ratios are against the contender each
// table names.
//
// rewrite and channels show each URL to a rewriter, which takes one at a time or several;
// login has a user log in with each request. They say what that adds to the same request
// without; the helpers' own time is left out.
//
// tls, tlsbulk and tlsidle measure intercepted TLS that is passed on by its name: new
// connections, bytes, and memory for each idle one. They run in a network namespace of
// their own, where a REDIRECT rule hands each contender its clients (root, nft); beside
// them stand haproxy, which reads the name too (req.ssl_sni), and both without a look at
// the name.
//
// A spliced connection takes two descriptors of a proxy. Where a process may not have
// 40,000 and more of them,
//
//	bench -bin bin/squid -only tlsidle -guest [-tls-idle 20000] [-with haproxy]
//
// measures in a guest, a kernel of its own that runs as a process (User Mode Linux).
// Resident memory is there what it is here; times are not, and what the kernel keeps for
// sockets is in neither figure.
//
// Numbers of a busy machine mean little; compare columns of one run. With
// -against a change is judged: two builds, loaded in turn.
package main
