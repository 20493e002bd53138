package host

import (
	"strings"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// capabilities looks at this process, which is what would serve.
func capabilities(needs []cap.Value) []Finding {
	var all []Finding
	have := cap.GetProc()
	for _, v := range needs {
		if on, err := have.GetFlag(cap.Effective, v); err == nil && !on {
			all = append(all, Finding{"capability", Fail, "this process lacks " + strings.ToUpper(v.String()), needed[v],
				"start as root, or in the unit: " + rights.UnitLine([]cap.Value{v})})
		}
	}
	if len(all) == 0 && len(needs) > 0 {
		all = append(all, Finding{ID: "capability", Fact: "this process has " + list(needs)})
	}
	return all
}

// needed says what each capability is for (fact 27).
var needed = map[cap.Value]string{
	cap.NET_ADMIN:        "it takes connections to foreign addresses, connects from them and marks its sockets",
	cap.NET_RAW:          "it receives the routers' GRE packets",
	cap.NET_BIND_SERVICE: "it listens on ports below 1024",
	cap.SETUID:           "it changes to cache_effective_user",
	cap.SETGID:           "it changes to cache_effective_user",
}

func list(values []cap.Value) string {
	var words []string
	for _, v := range values {
		words = append(words, strings.ToUpper(v.String()))
	}
	return strings.Join(words, " ")
}
