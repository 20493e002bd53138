package conf

import (
	"fmt"
	"slices"
)

// ZPHMode says where hits are marked (zph_mode).
type ZPHMode uint8

// The modes, in the order of their words.
const (
	ZPHOff      ZPHMode = iota
	ZPHTOS              // the type of service, or traffic class
	ZPHPriority         // the priority of the socket
	ZPHOption           // an option of IPv4
)

var zphModes = []string{"off", "tos", "priority", "option"}

// String is the word of a file.
func (m ZPHMode) String() string { return zphModes[m] }

func zphMode(field func(*Config) *ZPHMode) kind {
	return single("off|tos|priority|option", field, func(r *reader) (ZPHMode, error) {
		w, _ := r.word()
		if i := slices.Index(zphModes, w); i >= 0 {
			return ZPHMode(i), nil
		}
		return ZPHOff, r.unknownWord("mode", w, zphModes)
	}, ZPHMode.String)
}

// numberTo is a number from 0 to most.
func numberTo(most int, field func(*Config) *int) kind {
	k := number(field)
	k.name = fmt.Sprintf("number 0-%d", most)
	set := k.set
	k.set = func(r *reader) error {
		if err := set(r); err != nil {
			return err
		}
		if v := *field(r.b.cfg); v < 0 || v > most {
			return r.bungled(fmt.Sprintf("%d is out of range", v), fmt.Sprintf("Valid numbers are 0 to %d.", most))
		}
		return nil
	}
	return k
}

// checkZPH refuses a mark that does not fit where zph_mode puts it.
func (b *builder) checkZPH() {
	c := b.cfg
	if c.ZPHMode != ZPHTOS {
		return
	}
	for i, mark := range []int{c.ZPHLocal, c.ZPHSibling, c.ZPHParent} {
		if mark > 255 {
			name := []string{"zph_local", "zph_sibling", "zph_parent"}[i]
			b.refuseWhole(name, 134, fmt.Sprintf("%d is no type of service", mark), "With zph_mode tos marks are 0 to 255.")
		}
	}
}
