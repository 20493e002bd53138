package asn

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/dns"
)

// Configure begins to ask as_whois_server about the numbers of all src_as and dst_as ACLs.
func (t *Table) Configure(cfg *conf.Config) {
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
	t.Use(cfg.ASWhoisServer, numbers)
}

// whoisPort is where whois servers listen (RFC 3912).
const whoisPort = 43

// Dialer makes of a resolver and a way to connect to addresses what New wants.
func Dialer(names dns.Resolver, connect func(ctx context.Context, to netip.AddrPort) (Conn, error)) func(context.Context, string) (Conn, error) {
	return func(ctx context.Context, server string) (Conn, error) {
		answer, err := names.Look(ctx, server)
		if err != nil {
			return nil, err
		}
		err = errors.New(server + " has no address")
		for i := range answer.Len() {
			conn, failed := connect(ctx, netip.AddrPortFrom(answer.At(i), whoisPort))
			if failed == nil {
				return conn, nil
			}
			err = failed
		}
		return nil, err
	}
}
