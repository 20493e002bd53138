package host

import (
	"errors"

	"github.com/google/nftables"

	"github.com/cuttle-proxy/cuttle/tproxy/gre"
	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// probeLab prefixes the namespaces of probes, so that those of a killed one are
// swept away by the next.
const probeLab = "cuttleprobe"

// feature is something of the kernel's, tried out in a namespace of its own.
type feature struct {
	name, why, option string
	probe             func() error
}

// features tries what the kernel can do; versions and modules are not asked, for
// a container may see a module it may not load.
func features(w Want) []Finding {
	lab, err := netlab.New(probeLab)
	if err != nil {
		return []Finding{{"kernel", Warn, "the kernel's abilities were not tried: " + err.Error(),
			"they are needed, and not known", "sudo squid -k preflight"}}
	}
	defer lab.Close()
	n := lab.Node("kernel")
	if err := lab.Err(); err != nil {
		return []Finding{{"kernel", Warn, "the kernel's abilities were not tried: " + err.Error(),
			"they are needed, and not known", "run it where network namespaces can be made"}}
	}
	var all []Finding
	for _, f := range wantedFeatures(w) {
		if err := n.Do(f.probe); err != nil {
			all = append(all, Finding{"kernel", Fail, "this kernel lacks " + f.name + " (" + err.Error() + ")", f.why, f.option})
		} else {
			all = append(all, Finding{ID: "kernel", Fact: "has " + f.name})
		}
	}
	return append(all, greFinding(w)...)
}

func wantedFeatures(w Want) []feature {
	var list []feature
	only := func(keep role) func() error {
		return func() error {
			c := interceptChain(Want{TProxy: []Port{{Of: 1, To: 1}}, IPv4: true})
			var rules []rule
			for _, r := range c.rules {
				if r.role == keep {
					rules = append(rules, r)
				}
			}
			c.rules = rules
			return replaceTable([]chain{c})
		}
	}
	if len(w.TProxy) > 0 {
		list = append(list,
			feature{"the nftables socket match", "answers to connections made in a client's name would not find the proxy",
				"a kernel with CONFIG_NFT_SOCKET (module nft_socket)", only(roleDivert)},
			feature{"nftables TPROXY", "connections cannot be taken without touching their addresses",
				"a kernel with CONFIG_NFT_TPROXY (module nft_tproxy)", only(roleTProxy)},
			feature{"policy routing", "marked packets could not be delivered here",
				"a kernel with CONFIG_IP_MULTIPLE_TABLES", probePolicy(w)})
	}
	if len(w.Redirect) > 0 {
		list = append(list, feature{"nftables REDIRECT", "connections cannot be redirected to the proxy",
			"a kernel with CONFIG_NFT_REDIR (module nft_redir)", func() error {
				c := redirectChain(Want{Redirect: []Port{{Of: 1, To: 1}}, IPv4: true})
				c.kind = nftables.ChainTypeNAT
				return replaceTable([]chain{c})
			}})
	}
	return list
}

func probePolicy(w Want) func() error {
	return func() error {
		for _, f := range w.families() {
			if err := addRule(f); err != nil {
				return err
			}
			if err := addRoute(f); err != nil {
				return err
			}
			if !divertWorks(f) {
				return errors.New("a marked " + f.name + " packet is not delivered")
			}
		}
		return nil
	}
}

// greFinding: one of two ways is enough.
func greFinding(w Want) []Finding {
	if w.GRE == nil {
		return nil
	}
	kernel := gre.KernelTunnels()
	if kernel == nil {
		return []Finding{{ID: "gre", Fact: "the kernel has GRE tunnels"}}
	}
	lab, err := netlab.New(probeLab)
	if err != nil {
		return nil // said before
	}
	defer lab.Close()
	if err := lab.Node("tun").Do(gre.CheckTUN); err != nil {
		return []Finding{{"gre", Fail, "neither GRE tunnels nor a TUN device can be had: " + err.Error(),
			"the routers' packets could not be unwrapped", "modprobe tun, or modprobe ip_gre; or wccp2_forwarding_method 2"}}
	}
	return []Finding{{ID: "gre", Fact: "the kernel has no GRE tunnels; packets are unwrapped in the proxy, by a TUN device"}}
}
