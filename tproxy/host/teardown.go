package host

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
)

// Teardown undoes what Setup did, the latest first, and nothing else. A variable
// somebody changed since is left as it is, and said so.
func Teardown(o Options) error {
	s, err := openOurs(o)
	if err != nil {
		return fmt.Errorf("teardown: %w", err)
	}
	defer s.close()
	if !s.exists {
		o.say("teardown: nothing to undo")
		return nil
	}
	if err := undo(s, o); err != nil {
		return fmt.Errorf("teardown: %w", err)
	}
	return nil
}

// openOurs opens the state of what is ours on this host.
func openOurs(o Options) (*store, error) {
	s, err := openStore(o.StateDir)
	if err != nil {
		return nil, err
	}
	if err := adopt(s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// adopt finds things of ours, by the marks they carry, of which the state is lost.
func adopt(s *store) error {
	_, ours, err := tableOwner()
	if err != nil {
		return err
	}
	if ours {
		s.Table, s.exists = true, true
	}
	for _, f := range []family{ipv4, ipv6} {
		if rule, err := findMarkRule(f); err == nil && rule.ours {
			s.Rules, s.exists = with(s.Rules, f.name), true
		}
		if route, err := findLocalRoute(f); err == nil && route.ours {
			s.Routes, s.exists = with(s.Routes, f.name), true
		}
	}
	return nil
}

// undo goes through the whole state even when a part fails; what failed stays in
// the state, so that another Teardown tries it again.
func undo(s *store, o Options) error {
	var errs []error
	attempt := func(what string, act func() error) bool {
		if err := act(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
			return false
		}
		o.say("teardown: %s", what)
		return true
	}
	if s.Table {
		s.Table = !attempt("removed nftables table inet "+TableName, removeOurTable)
	}
	s.Routes = slices.DeleteFunc(s.Routes, func(name string) bool {
		return attempt(name+" route removed", func() error { return delRoute(familyOf(name)) })
	})
	s.Rules = slices.DeleteFunc(s.Rules, func(name string) bool {
		return attempt(name+" rule removed", func() error { return delRule(familyOf(name)) })
	})
	if s.LoUp {
		s.LoUp = !attempt("interface lo down", func() error {
			lo, err := netlink.LinkByName("lo")
			if err == nil {
				err = netlink.LinkSetDown(lo)
			}
			return err
		})
	}
	s.Variables = restore(s.Variables, o, attempt)
	if len(errs) == 0 {
		return s.forget()
	}
	return errors.Join(append(errs, s.save())...)
}

func familyOf(name string) family {
	if name == ipv6.name {
		return ipv6
	}
	return ipv4
}

// removeOurTable is content when somebody else removed it.
func removeOurTable() error {
	exists, _, err := tableOwner()
	if err != nil || !exists {
		return err
	}
	return deleteTable()
}

// restore gives variables their old values, the last one set first, and returns
// those that could not be restored.
func restore(changes []savedChange, o Options, attempt func(string, func() error) bool) []savedChange {
	var left []savedChange
	for _, c := range slices.Backward(changes) {
		now, err := readVariable(c.Name)
		switch {
		case err != nil:
			o.say("teardown: %s is gone", dotted(c.Name)) // with its interface
		case now == c.Old:
		case now != c.New:
			o.say("teardown: %s is %s now, not %s as set: left so", dotted(c.Name), now, c.New)
		default:
			if !attempt(fmt.Sprintf("%s=%s", dotted(c.Name), c.Old), func() error { return c.restore() }) {
				left = append([]savedChange{c}, left...)
			}
		}
	}
	return left
}

func (c savedChange) restore() error {
	if err := writeVariable(c.Name, c.Old); err != nil {
		return err
	}
	for name, value := range c.Spread {
		if _, err := readVariable(name); err == nil {
			if err := writeVariable(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}
