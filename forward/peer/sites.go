package peer

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// Sites are noted when requests go to them, so that it is known which network they
// are in.
const (
	// mostSites waits to be looked up; more are passed over, until the next request.
	mostSites = 64
	siteTime  = 10 * time.Second
)

// noteSite has the network of a host looked up, soon and by somebody else.
func (s *Set) noteSite(host string) {
	if s.env.Ways == nil || len(s.list) == 0 && s.env.Ways.Len() == 0 || s.env.Ways.Knows(host) {
		return
	}
	select {
	case s.sites <- strings.Clone(host):
	default:
	}
}

// nameSites looks sites up until ctx ends.
func (s *Set) nameSites(ctx context.Context) {
	for {
		select {
		case host := <-s.sites:
			s.nameSite(ctx, host)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Set) nameSite(ctx context.Context, host string) {
	ctx, cancel := context.WithTimeout(ctx, siteTime)
	defer cancel()
	if addrs, err := s.env.Names.Look(ctx, host); err == nil && addrs.Len() > 0 {
		s.env.Ways.Name(host, addrs.At(0), s.env.now())
	}
}

// stateFile is where 2.6 keeps what it measured: in the first cache_dir. It is ""
// without one.
func (s *Set) stateFile() string {
	for _, dir := range s.cfg.CacheDirs {
		return dir.Path + "/netdb_state"
	}
	return ""
}

// saveEvery is the time between two saves of what was measured.
const saveEvery = time.Hour

// LoadWays reads what was measured before, at the start. That there is no file is no
// error.
func (s *Set) LoadWays() {
	began := time.Now()
	f, err := os.Open(s.stateFile())
	if err != nil {
		return
	}
	defer f.Close()
	n, err := s.env.Ways.Load(f)
	if err != nil {
		s.env.Log.Info(fmt.Sprintf("WARNING: %s: %v", s.stateFile(), err))
	}
	s.env.Log.Info(fmt.Sprintf("NETDB state reloaded; %d entries, %d msec", n, time.Since(began).Milliseconds()))
}

// keepWays saves what was measured now and then until ctx ends, and then once more.
func (s *Set) keepWays(ctx context.Context) {
	for rest(ctx, about(saveEvery)) {
		s.saveWays()
	}
	s.saveWays()
}

// saveWays replaces the file as a whole. Where nothing was measured nothing is
// written.
func (s *Set) saveWays() {
	name := s.stateFile()
	if name == "" || !s.env.Ways.Measures() {
		return
	}
	err := func() error {
		f, err := os.CreateTemp(strings.TrimSuffix(name, "/netdb_state"), "netdb_state")
		if err != nil {
			return err
		}
		defer os.Remove(f.Name()) // when it has not become the file
		if err := s.env.Ways.Save(f); err != nil {
			f.Close()
			return err
		}
		if err := f.Chmod(0o644); err != nil {
			f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		return os.Rename(f.Name(), name)
	}()
	if err != nil {
		s.env.Log.Info("netdbSaveState: " + err.Error())
	}
}
