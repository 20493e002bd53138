package netlab

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// On a machine where nobody made a namespace yet, the first `ip netns add` may come
// while a lab is at work; the lab's namespaces can still be removed.
func TestNamesBesideThoseOfIP(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	const inside = "NETLAB_FRESH_RUN"
	if os.Getenv(inside) == "" {
		cmd := exec.Command("unshare", "--mount", "sh", "-c", `mount -t tmpfs none /run && exec "$0" -test.run='^TestNamesBesideThoseOfIP$'`, os.Args[0])
		cmd.Env = append(os.Environ(), inside+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	lab, err := New("cuttlenames")
	if err != nil {
		t.Fatal(err)
	}
	lab.Node("before")
	for _, command := range []string{"ip netns add theirs", "ip netns del theirs"} {
		words := strings.Fields(command)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	lab.Node("after")
	if err := lab.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(namespaces); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
