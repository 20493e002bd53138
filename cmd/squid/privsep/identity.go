package privsep

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Identity is who the process is to be once it has opened what needs root.
type Identity struct {
	// Change is false when we are not root and so stay who we are.
	Change   bool
	UID, GID int
	Groups   []int
	Name     string
	Home     string
}

// Credential is the user as a child process becomes it, nil when we stay who we are.
func (id Identity) Credential() *syscall.Credential {
	if !id.Change {
		return nil
	}
	c := &syscall.Credential{Uid: uint32(id.UID), Gid: uint32(id.GID)}
	for _, g := range id.Groups {
		c.Groups = append(c.Groups, uint32(g))
	}
	return c
}

// LookUp finds the numbers of cache_effective_user and
// cache_effective_group. With a group named explicitly the user's other groups
// are dropped; without one they are kept, as in 2.6.
func LookUp(cfg *conf.Config) (Identity, error) {
	if os.Geteuid() != 0 {
		return Identity{UID: os.Geteuid(), GID: os.Getegid()}, nil
	}
	u, err := user.Lookup(cfg.CacheEffectiveUser)
	if err != nil {
		return Identity{}, fmt.Errorf("getpwnam failed to find userid for effective user '%s'", cfg.CacheEffectiveUser)
	}
	id := Identity{Change: true, Name: u.Username, Home: u.HomeDir}
	id.UID, _ = strconv.Atoi(u.Uid)
	id.GID, _ = strconv.Atoi(u.Gid)
	if name := cfg.CacheEffectiveGroup; name != "" {
		g, err := user.LookupGroup(name)
		if err != nil {
			return Identity{}, fmt.Errorf("getgrnam failed to find groupid for effective group '%s'", name)
		}
		id.GID, _ = strconv.Atoi(g.Gid)
		id.Groups = []int{id.GID}
		return id, nil
	}
	names, err := u.GroupIds()
	if err != nil {
		return Identity{}, fmt.Errorf("cannot list the groups of '%s': %w", u.Username, err)
	}
	for _, n := range names {
		if gid, err := strconv.Atoi(n); err == nil {
			id.Groups = append(id.Groups, gid)
		}
	}
	return id, nil
}
