package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"

	"github.com/cuttle-proxy/cuttle/conf"
)

// identity is who the process is to be once it has opened what needs root.
type identity struct {
	// change is false when we are not root and so stay who we are.
	change   bool
	uid, gid int
	groups   []int
	name     string
	home     string
}

// lookUpIdentity finds the numbers of cache_effective_user and
// cache_effective_group. With a group named explicitly the user's other groups
// are dropped; without one they are kept, as in 2.6.
func lookUpIdentity(cfg *conf.Config) (identity, error) {
	if os.Geteuid() != 0 {
		return identity{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	u, err := user.Lookup(cfg.CacheEffectiveUser)
	if err != nil {
		return identity{}, fmt.Errorf("getpwnam failed to find userid for effective user '%s'", cfg.CacheEffectiveUser)
	}
	id := identity{change: true, name: u.Username, home: u.HomeDir}
	id.uid, _ = strconv.Atoi(u.Uid)
	id.gid, _ = strconv.Atoi(u.Gid)
	if name := cfg.CacheEffectiveGroup; name != "" {
		g, err := user.LookupGroup(name)
		if err != nil {
			return identity{}, fmt.Errorf("getgrnam failed to find groupid for effective group '%s'", name)
		}
		id.gid, _ = strconv.Atoi(g.Gid)
		id.groups = []int{id.gid}
		return id, nil
	}
	names, err := u.GroupIds()
	if err != nil {
		return identity{}, fmt.Errorf("cannot list the groups of '%s': %w", u.Username, err)
	}
	for _, n := range names {
		if gid, err := strconv.Atoi(n); err == nil {
			id.groups = append(id.groups, gid)
		}
	}
	return id, nil
}
