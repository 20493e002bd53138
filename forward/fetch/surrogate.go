package fetch

import (
	"cmp"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// The fields of surrogates (Edge Architecture Specification 1.0).
const (
	surrogateCapability = "Surrogate-Capability"
	surrogateControl    = "Surrogate-Control"
)

// ActAsSurrogate makes accelerators surrogates where the configuration asks for it, of the
// name it gives, or of the host's.
func (p *Policy) ActAsSurrogate(host string) {
	cfg := p.Config
	if cfg.HTTPAccelSurrogateID == "" && !cfg.HTTPAccelSurrogateRemote {
		return
	}
	p.Rules.Surrogate = cmp.Or(cfg.HTTPAccelSurrogateID, host)
	p.Rules.SurrogateRemote = cfg.HTTPAccelSurrogateRemote
}

// actsAsSurrogate reports whether the origin is told that this is one.
func (f *Fetch) actsAsSurrogate() bool { return f.req.Accelerated && f.policy.Rules.Surrogate != "" }

// addCapability adds what this surrogate can do to what those in front of it can.
func (f *Fetch) addCapability() {
	out := &f.fields
	before := len(out.Pieces())
	made, _ := f.req.Fields.AppendNamed(out.Pieces(), surrogateCapability)
	if len(made) > before {
		made = append(made, ", "...)
	}
	out.Set(made).Text(f.policy.Rules.Surrogate).Text(`="Surrogate/1.0"`).EndOther([]byte(surrogateCapability))
}

// WithoutControl takes away what surrogates are told, unless the client is another one.
func (p *Policy) WithoutControl(out *http1.Outgoing, asked *http1.Fields) {
	if p.Rules.Surrogate == "" || asked.GetOther(surrogateCapability) != nil {
		return
	}
	for i := out.Len() - 1; i >= 0; i-- {
		if out.ID(i) == http1.Other && http1.EqualFold(out.Key(i), surrogateControl) {
			out.RemoveAt(i)
		}
	}
}
