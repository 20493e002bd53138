package main

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
)

// usage explains the program to somebody with a cache to test and no router.
func usage(out io.Writer, f *flag.FlagSet) {
	fmt.Fprintf(out, `routersim - a WCCP router for labs

  routersim -router ADDR[=ID] [flags]     be one or more routers
  routersim ctl SOCKET COMMAND            talk to a running one

Run it in the network namespace (or on the machine) that is the router. It answers
caches on UDP port 2048, takes their assignments, and, where its configuration names
interfaces, redirects packets to the caches by GRE or layer 2. That needs root, and
touches what it needs: TUN devices wccp-*, policy rules of priority 57, the nftables
table "routersim", ip_forward and rp_filter; all is undone at the end.

A router for two services, the interfaces named as on the router they stand for:

  routersim -router 10.0.0.1 -config router.conf \
     -link GigabitEthernet0/3.100=sub0 -link GigabitEthernet0/3.102=proxy0

router.conf has the commands of a router:

  ip wccp version 2                     (1 or 2; 2 if not given)
  ip wccp 80 password secret            (web-cache, or the number of a dynamic service)
  interface GigabitEthernet0/3.100
   ip wccp 80 redirect in
   ip wccp 90 redirect out
  interface GigabitEthernet0/3.102
   ip wccp redirect exclude in

A router with an IPv6 address speaks version 2.01, without interfaces: it redirects
nothing.

With several -router, all take part in all services, without interfaces: where packets
are redirected each router needs a namespace and a routersim of its own. Real routers' hash is not published: here a bucket is the exclusive or
of the octets of the fields that count.

Flags:
`)
	f.PrintDefaults()
	fmt.Fprintf(out, `
Faults, as 'NAME NAME=CHANCE ...' or a JSON object (chances from 0 to 1; delay and
jitter in seconds; no words at all: behave):

  %s

Commands of the control socket; each answers with one line of JSON:

%s
Events are JSON objects, one a line, with "time" and "event": started, group formed,
cache seen, here i am, cache joined, assigned (with key and buckets), redirected
(each new connection, with cache and bucket), cache queried, cache left, weight
changed, unsupported, refused (with why), flushed, lost, restarted.
`, strings.Join(routersim.FaultNames(), " "), orderHelp())
}
