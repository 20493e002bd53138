package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/cmd/squid/intercept"
	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// The units we ship grant what a proxy with everything switched on needs, by the
// judgement of our own preflight.
func TestShippedUnitsGrantWhatIsNeeded(t *testing.T) {
	load := &conf.Config{}
	load.HTTPPorts = []*conf.HTTPPort{{TProxy: true, Transparent: true}}
	for _, name := range []string{"squid.service", "squid-unprivileged.service"} {
		text, err := os.ReadFile(filepath.Join("service", name))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "squid.service"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		i := intercept.Inspection(load)
		i.UnitDirs, i.Quick, i.Listen = []string{dir}, true, nil
		seen := false
		for _, f := range host.Preflight(i) {
			if f.ID == "unit" {
				seen = true
				if f.Level != host.OK {
					t.Errorf("%s: %v", name, f)
				}
			}
		}
		if !seen {
			t.Errorf("%s was not looked at", name)
		}
		// And one that is cut down is found out.
		cut := strings.ReplaceAll(string(text), "CAP_NET_ADMIN", "")
		if err := os.WriteFile(filepath.Join(dir, "squid.service"), []byte(cut), 0o644); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range host.Preflight(i) {
			found = found || f.ID == "unit" && f.Level == host.Fail && strings.Contains(f.Remedy, "CAP_NET_ADMIN")
		}
		if !found {
			t.Errorf("%s without CAP_NET_ADMIN was found good", name)
		}
	}
}

func TestInitScriptIsShell(t *testing.T) {
	if out, err := exec.Command("sh", "-n", "service/squid.init").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
