package privsep

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// BecomeUser changes to a user, keeping only the named capabilities, on every
// thread (libcap sees to that). There is no way back: no saved user id, nothing
// inheritable, a bounding set of what is kept, and no program, set-user-id or with
// capabilities of its file, gives this process or its children any more rights.
func BecomeUser(id Identity, keep []cap.Value) error {
	if err := limitRights(keep); err != nil {
		return err
	}
	if err := cap.SetGroups(id.GID, id.Groups...); err != nil {
		return fmt.Errorf("cannot change to the groups of '%s': %w", id.Name, err)
	}
	if err := cap.SetUID(id.UID); err != nil {
		return fmt.Errorf("cannot change to the user '%s': %w", id.Name, err)
	}
	set := cap.NewSet()
	if err := set.SetFlag(cap.Permitted, true, keep...); err != nil {
		return err
	}
	if err := set.SetFlag(cap.Effective, true, keep...); err != nil {
		return err
	}
	if err := set.SetProc(); err != nil {
		// A container may have been given fewer rights: keep what is there.
		return keepAtMost(set, keep, err)
	}
	return nil
}

// limitRights takes away what programs started from here on could gain.
func limitRights(keep []cap.Value) error {
	have := cap.GetProc()
	if able, _ := have.GetFlag(cap.Effective, cap.SETPCAP); able {
		for v := range cap.MaxBits() {
			if slices.Contains(keep, v) {
				continue
			}
			if err := cap.DropBound(v); err != nil {
				return fmt.Errorf("cannot limit capabilities: %w", err)
			}
		}
	}
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot renounce the rights of programs: %w", err)
	}
	return nil
}

func keepAtMost(wanted *cap.Set, keep []cap.Value, cause error) error {
	have := cap.GetProc()
	missing := []cap.Value{}
	for _, v := range keep {
		if on, _ := have.GetFlag(cap.Permitted, v); !on {
			missing = append(missing, v)
		}
	}
	if len(missing) == 0 {
		return fmt.Errorf("cannot reduce capabilities: %w", cause)
	}
	for _, flag := range []cap.Flag{cap.Permitted, cap.Effective} {
		if err := wanted.SetFlag(flag, false, missing...); err != nil {
			return err
		}
	}
	return wanted.SetProc()
}
