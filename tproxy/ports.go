package tproxy

import (
	"fmt"
	"math/rand/v2"
	"os"
)

// sparePortTries bounds the retries of one dial with ports of our own choice.
const sparePortTries = 8

// spare are the unprivileged ports outside of ip_local_port_range: below and
// above the range the kernel hands out.
type spare struct{ low, high uint16 } // the range, both ends inside

// kernelRange is what Linux does by default, for a host without /proc.
var kernelRange = spare{32768, 60999}

func sparePorts() spare {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return kernelRange
	}
	var s spare
	if n, err := fmt.Sscan(string(text), &s.low, &s.high); n != 2 || err != nil || s.low > s.high {
		return kernelRange
	}
	return s
}

// firstPort is the lowest port that needs no capability.
const firstPort = 1024

// pick chooses one of the spare ports at random; 0 when there is none.
func (s spare) pick() uint16 {
	below := max(0, int(s.low)-firstPort)
	above := 65535 - int(s.high)
	if below+above == 0 {
		return 0
	}
	n := rand.IntN(below + above)
	if n < below {
		return uint16(firstPort + n)
	}
	return uint16(int(s.high) + 1 + n - below)
}
