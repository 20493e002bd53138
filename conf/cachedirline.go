package conf

import (
	"fmt"
	"strings"
)

// maxCacheDirs is how many cache_dir lines there can be: a 64th trips an
// assertion of 2.6 (fact store_64).
const maxCacheDirs = 63

// cossStripe is the size of coss's memory buffers, the limit of its max-size.
const cossStripe = 1 << 20

var storeNames = map[string]string{"ufs": "Ufs", "aufs": "Aufs", "diskd": "Diskd", "coss": "Coss", "null": "Null"}

func cacheDirs(field func(*Config) *[]*CacheDir) kind {
	return kind{name: "type path size [L1 L2] [option…]",
		set: func(r *reader) error { return r.cacheDir(field(r.b.cfg)) },
		dump: func(c *Config, d *dumper, name string) {
			for i, dir := range *field(c) {
				if i == 0 || !samePolicy(dir.Policy, (*field(c))[i-1].Policy) {
					d.line("cache_replacement_policy", dir.Policy.words())
				}
				d.line(name, dir.words()...)
			}
		},
		given: func(c *Config) bool { return len(*field(c)) > 0 }}
}

func (r *reader) cacheDir(dirs *[]*CacheDir) error {
	typeWord, err := r.need("the type")
	if err != nil {
		return err
	}
	typeAt := r.here()
	where, err := r.need("the path")
	if err != nil {
		return err
	}
	kind := lowerASCII(typeWord)
	if storeNames[kind] == "" {
		return &refusal{at: typeAt, summary: fmt.Sprintf("unknown type of cache_dir %q", typeWord),
			detail: "Valid: ufs, aufs, diskd, coss, null.", suggestion: nearest(typeWord, sortedKeys(storeNames))}
	}
	for _, d := range *dirs {
		if strings.EqualFold(d.Path, where) {
			return r.cacheDirAgain(d, kind, typeWord)
		}
	}
	if len(*dirs) == maxCacheDirs {
		return r.aborted("assertion failed: no more than %d cache_dirs\n", maxCacheDirs)
	}
	d := &CacheDir{Type: kind, Path: where, MaxSize: -1, Policy: r.b.cfg.CacheReplacementPolicy, Pos: r.namePos(),
		Q1: 64, Q2: 72, COSS: COSSOptions{BlockSize: 512, OverwritePercent: 50, MemBufs: 10}}
	if kind != "diskd" {
		d.Q1, d.Q2 = 0, 0
	}
	if kind != "coss" {
		d.COSS = COSSOptions{}
	}
	if err := r.cacheDirNumbers(d, "Parse"); err != nil {
		return err
	}
	if err := r.cacheDirOptions(d, kind == "coss", false); err != nil {
		return err
	}
	switch kind {
	case "coss":
		if err := r.verifyCOSS(d); err != nil {
			return err
		}
	case "ufs", "aufs", "diskd":
		if err := r.checkPolicy(d.Policy); err != nil {
			return err
		}
	}
	*dirs = append(*dirs, d)
	delete(r.b.first, Lookup("cache_replacement_policy")) // the next one is for the next directory
	return nil
}

// cacheDirAgain reads a second line for a path: it changes the first one, and
// cannot change its type (fact gram_duplicate_cache_dir_type).
func (r *reader) cacheDirAgain(d *CacheDir, kind, typeWord string) error {
	if d.Type != kind {
		r.say("ERROR: Can't change type of existing cache_dir %s %s to %s. Restart required", d.Type, d.Path, typeWord)
		r.warn("cache-dir-repeated", fmt.Sprintf("%s is a cache_dir of type %s already; the line is skipped", d.Path, d.Type), "", "")
		return nil
	}
	r.warn("cache-dir-repeated", fmt.Sprintf("%s was given before (%v); this line changes it", d.Path, d.Pos), "", "")
	if kind == "null" {
		return nil
	}
	verb := "Reconfigure"
	if kind == "coss" {
		verb = "Parse"
	}
	if err := r.cacheDirNumbers(d, verb); err != nil {
		return err
	}
	if err := r.cacheDirOptions(d, kind == "coss", true); err != nil {
		return err
	}
	if kind == "coss" && d.MaxSize == -1 {
		return r.aborted("COSS requires max-size to be set to something other than -1!\n")
	}
	return nil
}

// cacheDirNumbers reads size and, for the types with folders, L1 and L2.
func (r *reader) cacheDirNumbers(d *CacheDir, verb string) error {
	who := "store" + storeNames[d.Type] + "Dir" + verb
	if d.Type == "null" {
		return nil
	}
	mb, err := r.integer()
	if err != nil {
		return err
	}
	// Kilobytes are kept in 32 bits, so a size of 2 TB and more wraps.
	kb := int32(mb) << 10
	if d.Type == "coss" && uint32(kb) == 0 || d.Type != "coss" && kb <= 0 {
		return r.aborted("%s: invalid size value", who)
	}
	d.Size = int64(uint32(kb)) << 10
	if d.Type == "coss" {
		return nil
	}
	l1, err := r.integer()
	if err != nil {
		return err
	}
	if l1 <= 0 {
		return r.aborted("%s: invalid level 1 directories value", who)
	}
	l2, err := r.integer()
	if err != nil {
		return err
	}
	if l2 <= 0 {
		return r.aborted("%s: invalid level 2 directories value", who)
	}
	if verb == "Parse" {
		d.L1, d.L2 = l1, l2
	}
	return nil
}

func (r *reader) cacheDirOptions(d *CacheDir, coss, again bool) error {
	for w := range each(r.word) {
		name, value, hasValue := strings.Cut(w, "=")
		switch {
		case name == "read-only":
			d.ReadOnly = true
			if hasValue {
				n, err := r.decimal(value, r.here())
				if err != nil {
					return err
				}
				d.ReadOnly = n&1 == 1 // a one-bit field
			}
		case name == "min-size" || name == "max-size":
			if !hasValue {
				return r.bungled(name+" needs a number of bytes", name+"=BYTES")
			}
			n, used := cLong(value, 10)
			if used < len(value) {
				r.warn("number-tail", fmt.Sprintf("only %q of %q is read", value[:used], value), "The number is in bytes, without a unit.", "")
			}
			if name == "min-size" {
				d.MinSize = n
			} else {
				d.MaxSize = n
			}
		case d.Type == "diskd" && (name == "Q1" || name == "Q2"):
			if !hasValue {
				return r.bungled(name+" needs a number", "2.6 crashes here.")
			}
			if n := cAtoi(value); name == "Q1" {
				d.Q1 = n
			} else {
				d.Q2 = n
			}
		case coss && cossOptions[name]:
			if err := r.cossOption(d, name, value, hasValue, again); err != nil {
				return err
			}
		default:
			valid := []string{"read-only", "min-size=", "max-size="}
			if coss {
				valid = append(valid, sortedKeys(cossOptions)...)
			}
			if d.Type == "diskd" {
				valid = append(valid, "Q1=", "Q2=")
			}
			err := r.unknownWord("cache_dir option", w, valid)
			if e, ok := err.(*refusal); ok && w == "no-store" { // fact store_ufs_noStore
				e.detail, e.suggestion = "It came with 2.7. read-only serves what is there and adds nothing.", "read-only"
			}
			return err
		}
	}
	return nil
}

var cossOptions = map[string]bool{"block-size": true, "overwrite-percent": true, "max-stripe-waste": true, "membufs": true, "maxfullbufs": true}

func (r *reader) cossOption(d *CacheDir, name, value string, hasValue, again bool) error {
	if !hasValue {
		return r.bungled(name+" needs a number", "2.6 crashes here.")
	}
	n := cAtoi(value)
	switch name {
	case "block-size":
		bits := 0
		for v := n; v > 1; v >>= 1 {
			bits++
		}
		switch {
		case n == d.COSS.BlockSize:
		case again:
			r.say("WARNING: cannot change COSS block-size while Squid is running")
		case 1<<bits != n:
			return r.aborted("COSS block-size must be a power of 2\n")
		case bits > 13:
			return r.aborted("COSS block-size must be 8192 or smaller\n")
		default:
			d.COSS.BlockSize = n
		}
	case "overwrite-percent":
		switch {
		case n < 0:
			return r.aborted("COSS overwrite percent must be > 0\n")
		case n > 100:
			return r.aborted("COSS overwrite percent must be < 100\n")
		}
		d.COSS.OverwritePercent = n
	case "max-stripe-waste":
		if n < 8192 {
			return r.aborted("COSS max-stripe-waste must be > 8192\n")
		}
		d.COSS.MaxStripeWaste = n
	case "membufs":
		switch {
		case again:
			r.say("WARNING: cannot change COSS memory bufs Squid is running")
			return nil
		case n < 2:
			return r.aborted("COSS ERROR: There must be at least 2 membufs\n")
		case n > 500:
			return r.aborted("COSS ERROR: Squid will likely use too much memory if it ever used 500MB worth of buffers\n")
		}
		d.COSS.MemBufs = n
	case "maxfullbufs":
		switch {
		case n <= 2:
			return r.aborted("COSS ERROR: There must be more than %d maxfullbufs\n", 2)
		case n > 500:
			return r.aborted("COSS ERROR: Squid will likely use too much memory if it ever used 500MB worth of full buffers\n")
		}
		d.COSS.MaxFullBufs = n
	}
	return nil
}

func (r *reader) verifyCOSS(d *CacheDir) error {
	switch {
	case d.MaxSize == -1:
		return r.abortedAt(r.all(), "COSS requires max-size to be set to something other than -1!\n")
	case d.MaxSize > cossStripe:
		return r.abortedAt(r.all(), "COSS max-size option must be less than COSS_MEMBUF_SZ (%d)\n", cossStripe)
	}
	bits := 0
	for v := d.COSS.BlockSize; v > 1; v >>= 1 {
		bits++
	}
	if d.Size>>10+int64(d.COSS.MemBufs)*(cossStripe>>10) > 0xFFFFFF<<bits>>10 {
		return r.abortedAt(r.all(), "COSS cache_dir size exceeds largest offset\n")
	}
	return nil
}

// words are the arguments that give the directory back.
func (d *CacheDir) words() []string {
	list := []string{d.Type, d.Path}
	add := func(on bool, format string, v ...any) {
		if on {
			list = append(list, fmt.Sprintf(format, v...))
		}
	}
	add(d.Type != "null", "%d", d.Size>>20)
	add(d.L1 != 0, "%d", d.L1)
	add(d.L2 != 0, "%d", d.L2)
	add(d.ReadOnly, "read-only")
	add(d.MinSize != 0, "min-size=%d", d.MinSize)
	add(d.MaxSize != -1, "max-size=%d", d.MaxSize)
	if d.Type == "diskd" {
		add(d.Q1 != 64, "Q1=%d", d.Q1)
		add(d.Q2 != 72, "Q2=%d", d.Q2)
	}
	if d.Type == "coss" {
		add(d.COSS.BlockSize != 512, "block-size=%d", d.COSS.BlockSize)
		add(d.COSS.OverwritePercent != 50, "overwrite-percent=%d", d.COSS.OverwritePercent)
		add(d.COSS.MaxStripeWaste != 0, "max-stripe-waste=%d", d.COSS.MaxStripeWaste)
		add(d.COSS.MemBufs != 10, "membufs=%d", d.COSS.MemBufs)
		add(d.COSS.MaxFullBufs != 0, "maxfullbufs=%d", d.COSS.MaxFullBufs)
	}
	return list
}

// policies is the grammar of the two replacement policies. Names are not checked
// here but when a cache_dir uses them (facts gram_order_bad_policy_*, store_memrepl_nosuch).
func policies(field func(*Config) *Policy) kind {
	return kind{name: "lru | heap GDSF|LFUDA|LRU", single: true,
		set: func(r *reader) error {
			w, err := r.need("the policy")
			if err != nil {
				return err
			}
			p := Policy{Name: w, Pos: r.namePos(), Args: r.wordList()}
			*field(r.b.cfg) = p
			return nil
		},
		dump: func(c *Config, d *dumper, name string) { d.line(name, field(c).words()) }}
}

func (p Policy) words() string {
	if len(p.Args) == 0 {
		return p.Name
	}
	return p.Name + " " + quoteWords(p.Args)
}

func samePolicy(a, b Policy) bool { return a.words() == b.words() }

// checkPolicy refuses what 2.6 cannot make: unknown names, and words it trips over.
func (r *reader) checkPolicy(p Policy) error {
	switch p.Name {
	case "lru":
		if len(p.Args) > 0 {
			return r.abortedAt(r.all(), "cache_replacement_policy lru takes no further word, got %q\n", p.Args[0])
		}
	case "heap":
		if len(p.Args) > 1 {
			return r.abortedAt(r.all(), "cache_replacement_policy heap takes one word, got %q as well\n", p.Args[1])
		}
		if len(p.Args) == 1 && p.Args[0] != "GDSF" && p.Args[0] != "LFUDA" && p.Args[0] != "LRU" {
			r.say("createRemovalPolicy_heap: Unknown key type \"%s\". Using LRU", p.Args[0])
			r.b.diagnose(Diagnostic{Severity: Warning, Pos: p.Pos, Len: len("cache_replacement_policy"), Check: "policy", Summary: fmt.Sprintf("heap %s is unknown; LRU is used", p.Args[0]),
				Suggestion: nearest(p.Args[0], []string{"GDSF", "LFUDA", "LRU"})})
		}
	default:
		return r.abortedAt(r.all(), "ERROR: Unknown policy %s\n", p.Name)
	}
	return nil
}
