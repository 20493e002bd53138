package conf

import (
	"fmt"
	"strconv"
	"strings"
)

// delayPools is the grammar of delay_pools; a second line forgets all pools.
func delayPools() kind {
	return kind{name: "number 0-65535",
		set: func(r *reader) error {
			d := &r.b.cfg.Delay
			if len(d.Pools) > 0 {
				r.say("parse_delay_pool_count: multiple delay_pools lines, aborting all previous delay_pools config")
				r.warnAt(r.all(), "delay-pools-again", "this line forgets every pool configured in front of it", "", "")
				d.Pools = nil
			}
			n, err := r.ushort()
			if err != nil {
				return err
			}
			d.Pools = make([]DelayPool, n)
			for i := range d.Pools {
				d.Pools[i] = DelayPool{Pos: r.namePos()}
			}
			return nil
		},
		dump: func(c *Config, d *dumper, name string) { d.line(name, strconv.Itoa(len(c.Delay.Pools))) }}
}

// delayPool reads a pool's number; the pool is nil when the line is to be skipped.
// who is the name 2.6 gives the speaker of the message.
func (r *reader) delayPool(who string) (*DelayPool, int, error) {
	n, err := r.ushort()
	if err != nil {
		return nil, 0, err
	}
	pools := r.b.cfg.Delay.Pools
	if n < 1 || int(n) > len(pools) {
		r.say("%s: Ignoring pool %d not in 1 .. %d", who, n, len(pools))
		r.warn("delay-pool", fmt.Sprintf("there is no pool %d; the line is skipped", n), "delay_pools in front of this line says how many there are.", "")
		return nil, 0, nil
	}
	return &pools[n-1], int(n), nil
}

func delayClass() kind {
	return kind{name: "pool class 1-3",
		set: func(r *reader) error {
			p, n, err := r.delayPool("parse_delay_pool_class")
			if p == nil {
				return err
			}
			class, err := r.ushort()
			if err != nil {
				return err
			}
			if class < 1 || class > 3 {
				r.say("parse_delay_pool_class: Ignoring pool %d class %d not in 1 .. 3", n, class)
				text := fmt.Sprintf("there is no class %d; the line is skipped", class)
				if p.Class == 0 {
					p.later, p.as = class == 4, 0
				}
				if p.later {
					text = "there is no class 4; it acts as class 3 does, without a bucket for each user"
					p.useEarly(3)
				}
				r.warn("delay-class", text, "", "")
				return nil
			}
			unlimited := DelayRate{-1, -1}
			p.Class, p.Aggregate, p.Network, p.Individual = int(class), unlimited, DelayRate{}, DelayRate{}
			if class >= 2 {
				p.Individual = unlimited
			}
			if class == 3 {
				p.Network = unlimited
			}
			p.later, p.as = false, 0
			p.useEarly(int(class))
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for i, p := range c.Delay.Pools {
				switch {
				case p.Class != 0:
					d.line(name, strconv.Itoa(i+1), strconv.Itoa(p.Class))
				case p.later:
					d.line(name, strconv.Itoa(i+1), "4")
				}
			}
		}}
}

// delayParameters reads as many pairs as the class has; what follows is ignored
// (facts acc_delay_class1_extra, acc_delay_unit).
func delayParameters() kind {
	return kind{name: "pool restore/max…",
		set: func(r *reader) error {
			p, n, err := r.delayPool("parse_delay_pool_rates")
			if p == nil {
				return err
			}
			if p.Class == 0 {
				r.say("parse_delay_pool_rates: Ignoring pool %d attempt to set rates with class not set", n)
				if p.later {
					r.warn("delay-class", fmt.Sprintf("pool %d is of no class of 2.6's, which skips the line; here its first three pairs count", n), "", "")
				} else {
					r.warn("delay-class", fmt.Sprintf("pool %d has no class yet: 2.6 skips the line, here it counts when delay_class follows", n), "", "")
				}
				p.early = r.earlyRates()
				if p.later {
					p.useEarly(3)
				}
				return nil
			}
			var rates []DelayRate
			for range p.Class {
				rate, err := r.delayRate()
				if err != nil {
					return err
				}
				rates = append(rates, rate)
			}
			p.use(rates)
			return nil
		},
		dump: func(c *Config, d *dumper, name string) {
			for i, p := range c.Delay.Pools {
				pair := func(r DelayRate) string { return fmt.Sprintf("%d/%d", r.Restore, r.Max) }
				switch p.Buckets() {
				case 1:
					d.line(name, strconv.Itoa(i+1), pair(p.Aggregate))
				case 2:
					d.line(name, strconv.Itoa(i+1), pair(p.Aggregate), pair(p.Individual))
				case 3:
					d.line(name, strconv.Itoa(i+1), pair(p.Aggregate), pair(p.Network), pair(p.Individual))
				}
			}
		}}
}

// use gives the pool as many pairs as its class has.
func (p *DelayPool) use(rates []DelayRate) {
	p.Aggregate = rates[0]
	switch len(rates) {
	case 2:
		p.Individual = rates[1]
	case 3:
		p.Network, p.Individual = rates[1], rates[2]
	}
}

// useEarly gives it those of an earlier line, if they are enough for the class.
func (p *DelayPool) useEarly(class int) {
	if len(p.early) >= class {
		p.use(p.early[:class])
		if p.Class == 0 {
			p.as = class
		}
	}
	p.early = nil
}

// earlyRates reads pairs up to the first word that is none: on a line that 2.6 skips
// nothing is a fault.
func (r *reader) earlyRates() (list []DelayRate) {
	for w := range each(r.word) {
		restore, most, _ := strings.Cut(w, "/")
		a, aErr := strconv.ParseInt(restore, 10, 32)
		b, bErr := strconv.ParseInt(most, 10, 32)
		if aErr != nil || bErr != nil {
			break
		}
		list = append(list, DelayRate{int(a), int(b)})
	}
	return list
}

func (r *reader) delayRate() (DelayRate, error) {
	w, ok := r.cut("/")
	if !ok {
		return DelayRate{}, r.bungled("a pair restore/max is missing", "A pool has one pair in class 1, two in class 2, three in class 3.")
	}
	v, n := cLong(w, 10)
	if n == 0 {
		return DelayRate{}, r.bungled(fmt.Sprintf("%q is not a number", w), "")
	}
	r.warnTail(w, n)
	// 2.6 goes on at the slash; the largest size follows it.
	size, err := r.integer()
	return DelayRate{Restore: int(int32(v)), Max: size}, err
}

func delayAccess() kind {
	return kind{name: "pool allow|deny [!]acl…",
		set: func(r *reader) error {
			p, _, err := r.delayPool("parse_delay_pool_rates")
			if p == nil {
				return err
			}
			rule, err := r.accessRule()
			if rule != nil {
				p.Access = append(p.Access, *rule)
			}
			return err
		},
		dump: func(c *Config, d *dumper, name string) {
			for i, p := range c.Delay.Pools {
				for _, rule := range p.Access {
					d.line(name, strconv.Itoa(i+1), ruleWords(rule))
				}
			}
		}}
}
