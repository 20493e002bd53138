package delays

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

var recordings = flag.Bool("recordings", false, "play recordings through the real binary")

// A usual run plays one in share of the recordings, other ones each day, and so many at
// the same time: they wait most of the while.
const (
	share      = 6
	sideBySide = 12
)

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", strconv.Itoa(sideBySide))
	m.Run()
}

// TestRecordings plays recordings of Squid 2.6's delay pools through the binary as it is
// shipped, all of them with CUTTLE_FULL=1.
func TestRecordings(t *testing.T) {
	switch {
	case !*recordings:
		t.Skip("played without the race detector, by `make exchange`")
	case os.Getuid() != 0:
		t.Skip("the proxy is to become another user, which needs root")
	}
	files, err := filepath.Glob(data + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	bin := buildProxy(t)
	today := int(time.Now().Unix() / 86400)
	for i, file := range files {
		if os.Getenv("CUTTLE_FULL") == "" && i%share != today%share {
			continue
		}
		t.Run(load(t, file).Name, func(t *testing.T) {
			t.Parallel()
			// A machine that stalls for a second makes any measurement look bad: who
			// fails once may try again.
			why := played(t, bin, load(t, file))
			if len(why) > 0 {
				why = played(t, bin, load(t, file))
			}
			for _, w := range why {
				t.Error(w)
			}
		})
	}
}

// buildProxy builds the binary under test.
func buildProxy(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "squid")
	build := exec.Command("go", "build", "-o", bin, "../../squid")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return bin
}

// played plays a scenario and says what was not as it should be.
func played(t *testing.T, bin string, s *scenario) (why []string) {
	p := newPlay(t, s)
	if started := p.run(bin); started != s.mustStart() {
		return []string{"it starts, or it does not"}
	} else if !started {
		return nil
	}
	for _, f := range s.Flows {
		want := f.Status
		if want == "" {
			want = "200"
		}
		if f.status != want && !(f.Silent && f.status == "") {
			why = append(why, f.ID+": status "+f.status)
		}
		if f.CountRequests && p.origin.asked[f.object()] != s.Observed.Asked[f.ID] {
			why = append(why, f.ID+": the origin was asked another number of times")
		}
	}
	wanted := s.wanted()
	for i := range wanted {
		e := &wanted[i]
		if w := e.judge(measure(e, s.Flows, p.uptime.Seconds())); w != "" {
			why = append(why, e.Of[0]+": "+w)
		}
	}
	return why
}
