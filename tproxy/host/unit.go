package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/unit"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// unitDirs is where systemd looks for units, the most important first.
var unitDirs = []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

const unitName = "squid.service"

// service is the [Service] section of a unit with its drop-ins: the values of each
// key, an empty assignment having cleared the earlier ones.
type service struct {
	path   string
	values map[string][]string
}

// units looks at the unit the proxy would start under, where there is one.
func units(i Inspection) []Finding {
	dirs := i.UnitDirs
	if dirs == nil {
		dirs = unitDirs
	}
	u, found := readUnit(dirs)
	if !found {
		return nil
	}
	all := slices.Concat(u.checkCapabilities(i), u.checkSandbox(i))
	if len(all) == 0 {
		return []Finding{{ID: "unit", Fact: u.path + " grants what is needed"}}
	}
	return all
}

func readUnit(dirs []string) (service, bool) {
	for _, dir := range dirs {
		path := filepath.Join(dir, unitName)
		u := service{path: path, values: map[string][]string{}}
		if !u.read(path) {
			continue
		}
		for _, d := range dirs {
			dropIns, _ := filepath.Glob(filepath.Join(d, unitName+".d", "*.conf"))
			for _, name := range dropIns {
				u.read(name)
			}
		}
		return u, true
	}
	return service{}, false
}

// read takes in a file, as far as it can be read; false when it cannot be opened.
func (u service) read(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	options, _ := unit.DeserializeOptions(f) // what stands in front of a fault counts
	for _, o := range options {
		value := strings.ReplaceAll(o.Value, "\\\n", " ") // a continued line
		switch {
		case o.Section != "Service":
		case value == "":
			delete(u.values, o.Name)
		default:
			u.values[o.Name] = append(u.values[o.Name], value)
		}
	}
	return true
}

func (u service) last(key string) string {
	if v := u.values[key]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

func (u service) yes(key string) bool {
	switch strings.ToLower(u.last(key)) {
	case "yes", "true", "on", "1":
		return true
	}
	return false
}

// words are all words of a key's values.
func (u service) words(key string) []string { return strings.Fields(strings.Join(u.values[key], " ")) }

func (u service) checkCapabilities(i Inspection) []Finding {
	needs := i.Needs
	key, why := "AmbientCapabilities", "the unit starts as a user without root's rights and grants too little"
	if u.asRoot() {
		key, why = "CapabilityBoundingSet", "the unit limits even root to less than is needed"
		needs = slices.Concat(i.Needs, i.Starts)
		if len(u.values[key]) == 0 {
			return nil // no limit
		}
	}
	var missing []cap.Value
	for _, v := range needs {
		if !u.grants(key, v) {
			missing = append(missing, v)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return []Finding{{"unit", Fail, fmt.Sprintf("%s does not grant %s", u.path, list(missing)), why,
		fmt.Sprintf("in [Service] of the unit: %s=%s", key, list(missing))}}
}

const tunPath = "/dev/net/tun"

func (u service) asRoot() bool {
	user := u.last("User")
	return user == "" || user == "root" || user == "0"
}

// grants reads a list of capabilities; one that begins with ~ takes away.
func (u service) grants(key string, v cap.Value) bool {
	granted := false
	for n, line := range u.values[key] {
		rest, without := strings.CutPrefix(line, "~")
		if without && n == 0 {
			granted = true
		}
		for _, word := range strings.Fields(rest) {
			if strings.EqualFold(word, v.String()) {
				granted = !without
			}
		}
	}
	return granted
}

// checkSandbox looks at restrictions that take away more than they seem to.
func (u service) checkSandbox(i Inspection) []Finding {
	var all []Finding
	fail := func(fact, why, remedy string) {
		all = append(all, Finding{"unit", Fail, u.path + " has " + fact, why, "in [Service] of the unit: " + remedy})
	}
	if u.yes("PrivateNetwork") {
		fail("PrivateNetwork=yes", "the proxy would see no network but a loopback", "PrivateNetwork=no")
	}
	if families := u.words("RestrictAddressFamilies"); len(families) > 0 && families[0][0] != '~' && families[0] != "none" {
		for _, f := range []string{"AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"} {
			if !slices.Contains(families, f) {
				fail("RestrictAddressFamilies without "+f, "the proxy could not open such sockets", "RestrictAddressFamilies="+f)
			}
		}
	}
	if i.GRE == nil {
		return all
	}
	tun := slices.ContainsFunc(u.values["DeviceAllow"], func(s string) bool {
		return strings.HasPrefix(s, "/dev/net/tun") || strings.HasPrefix(s, "char-misc")
	})
	policy := u.last("DevicePolicy")
	if u.yes("PrivateDevices") || (policy == "closed" || policy == "strict") && !tun {
		fail("no access to /dev/net/tun", "GRE packets of routers could not be received", "PrivateDevices=no and DeviceAllow=/dev/net/tun rw")
	}
	if info, err := os.Stat(tunPath); err == nil && !u.asRoot() && info.Mode()&0o006 != 0o006 {
		all = append(all, Finding{"unit", Warn, fmt.Sprintf("%s does not start as root, and %s has mode %04o", u.path, tunPath, info.Mode().Perm()),
			"where the kernel has no GRE tunnels, packets of routers could not be unwrapped",
			`a udev rule: KERNEL=="tun", MODE="0666" (a device still needs CAP_NET_ADMIN); or the unit that starts as root`})
	}
	return all
}
