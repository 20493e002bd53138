package peer

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// Sites are noted when requests go to them, so that it is known which network they
// are in, and how far that is.
const (
	// mostSites waits to be looked up; more are passed over, until the next request.
	mostSites = 64
	siteTime  = 10 * time.Second
)

// noteSite has the network of a host looked up, and measured when that is due, soon and
// by somebody else.
func (s *Set) noteSite(host string) {
	ways, measures := s.env.Ways, s.cfg.MeasuresWays
	if ways == nil || !measures && len(s.list) == 0 && ways.Len() == 0 || !ways.Wants(host, measures, s.env.now()) {
		return
	}
	select {
	case s.sites <- strings.Clone(host):
	default:
	}
}

// nameSites looks sites up until ctx ends.
func (s *Set) nameSites(ctx context.Context, measure func(netip.Addr)) {
	for {
		select {
		case host := <-s.sites:
			s.nameSite(ctx, host, measure)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Set) nameSite(ctx context.Context, host string, measure func(netip.Addr)) {
	ctx, cancel := context.WithTimeout(ctx, siteTime)
	defer cancel()
	addrs, err := s.env.Names.Look(ctx, host)
	if err != nil {
		return
	}
	for i := range addrs.Len() {
		a, now := addrs.At(i).Unmap(), s.env.now()
		if !a.Is4() { // networks are of IPv4, as in 2.6
			continue
		}
		s.env.Ways.Name(host, a, now)
		if s.cfg.MeasuresWays && s.env.Ways.Due(a, s.cfg.NetDBPingPeriod, now) {
			measure(a)
		}
		return
	}
}

// measurePeers measures the way to each peer every netdb_ping_period until ctx ends:
// of two whose digests have an object the nearer one is asked.
func (s *Set) measurePeers(ctx context.Context) {
	for {
		for _, p := range s.list {
			if p.Type != conf.PeerMulticast {
				s.noteSite(p.Host)
			}
		}
		if !rest(ctx, max(s.cfg.NetDBPingPeriod, time.Second)) {
			return
		}
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
		s.env.Log.Info("WARNING: {file}: {error}", zap.String("file", s.stateFile()), report.Error(err))
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
		s.env.Log.Info("netdbSaveState: {error}", report.Error(err))
	}
}
