package ufs

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Key is the MD5 digest an object is known by.
type Key [16]byte

// Number names an object file of a Dir.
type Number int32

// maxNumbers is how many files a Dir can have: 2.6 keeps 2^24.
const maxNumbers = 1 << 24

// layout is where the files of a directory are.
type layout struct {
	path   string
	l1, l2 int
}

// folders of the two levels that hold n.
func (l layout) folders(n Number) (first, second int) {
	return int(n) / l.l2 / l.l2 % l.l1, int(n) / l.l2 % l.l2
}

// file is the path of object n.
func (l layout) file(n Number) string {
	first, second := l.folders(n)
	return fmt.Sprintf("%s/%02X/%02X/%08X", l.path, first, second, int32(n))
}

func (l layout) firstFolder(i int) string { return filepath.Join(l.path, fmt.Sprintf("%02X", i)) }

func (l layout) secondFolder(i, j int) string {
	return filepath.Join(l.path, fmt.Sprintf("%02X", i), fmt.Sprintf("%02X", j))
}

// parseNumber reads a file's name: eight upper-case hexadecimal digits, which
// is the only spelling an object has.
func parseNumber(name string) (Number, bool) {
	if len(name) != 8 || strings.ToUpper(name) != name {
		return 0, false
	}
	n, err := strconv.ParseUint(name, 16, 32)
	if err != nil || n >= maxNumbers {
		return 0, false
	}
	return Number(n), true
}

// SwapStatePath is the path of a directory's swap.state: in the directory itself,
// or where cache_swap_state (form) says. "%s" in that stands for the directory's
// path with dots for slashes, and none at its ends; without it, ".NN" is appended, where NN is the
// number of the cache_dir line, counted from 0.
func SwapStatePath(form, dir string, index int) string {
	switch {
	case form == "":
		return filepath.Join(dir, "swap.state")
	case strings.Contains(form, "%s"):
		dotted := strings.Trim(strings.ReplaceAll(dir, "/", "."), ".")
		return strings.ReplaceAll(form, "%s", dotted)
	}
	return fmt.Sprintf("%s.%02d", form, index)
}
