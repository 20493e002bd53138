package forward

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/conf"
)

// askSystems begins to ask as_whois_server about the numbers of all src_as and dst_as ACLs.
func (s *Server) askSystems(cfg *conf.Config) {
	var numbers []uint32
	for _, a := range cfg.ACLs {
		if a.Type != conf.ACLSrcAS && a.Type != conf.ACLDstAS {
			continue
		}
		for _, n := range a.Numbers {
			if !slices.Contains(numbers, uint32(n)) {
				numbers = append(numbers, uint32(n))
			}
		}
	}
	s.systems.Use(cfg.ASWhoisServer, numbers)
}

// whoisPort is where whois servers listen (RFC 3912).
const whoisPort = 43

// dialWhois connects to a whois server.
func (s *Server) dialWhois(ctx context.Context, server string) (net.Conn, error) {
	answer, err := s.names.Look(ctx, server)
	if err != nil {
		return nil, err
	}
	err = errors.New(server + " has no address")
	for i := range answer.Len() {
		conn, failed := s.parts.Network.Dial(ctx, Dialing{To: netip.AddrPortFrom(answer.At(i), whoisPort)})
		if failed == nil {
			return conn, nil
		}
		err = failed
	}
	return nil, err
}
