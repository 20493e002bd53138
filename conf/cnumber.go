package conf

import (
	"math"
	"strconv"
	"strings"
)

// The functions of this file read numbers the way 2.6's C library does, because
// verdicts hang on the details: hexadecimal here but not there, trailing letters
// ignored or not, overflow cut or refused (facts gram_int_*, gram_ushort_*).

// cLong reads a number as strtol: base 0 accepts 0x and a leading 0. n is the
// number of bytes used, 0 when there is no number. Overflow saturates.
func cLong(s string, base int) (v int64, n int) {
	i := 0
	for i < len(s) && isCSpace(s[i]) {
		i++
	}
	neg := false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		neg = s[i] == '-'
		i++
	}
	if (base == 0 || base == 16) && i+2 < len(s) && s[i] == '0' && (s[i+1] == 'x' || s[i+1] == 'X') && digitValue(s[i+2]) < 16 {
		base, i = 16, i+2
	} else if base == 0 {
		base = 10
		if i < len(s) && s[i] == '0' {
			base = 8
		}
	}
	start := i
	var u uint64
	over := false
	for i < len(s) {
		d := digitValue(s[i])
		if d >= base {
			break
		}
		if u > (math.MaxUint64-uint64(d))/uint64(base) {
			over = true
		} else {
			u = u*uint64(base) + uint64(d)
		}
		i++
	}
	switch {
	case i == start:
		return 0, 0
	case neg && (over || u > 1<<63):
		return math.MinInt64, i
	case neg:
		return -int64(u), i
	case over || u > math.MaxInt64:
		return math.MaxInt64, i
	}
	return int64(u), i
}

func digitValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return 99
}

// isCSpace is isspace in the C locale.
func isCSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// cAtoi is atoi: 0 for no number, anything behind the digits is ignored.
func cAtoi(s string) int {
	v, _ := cLong(s, 10)
	return int(int32(v))
}

// cDouble reads a number as strtod. n is 0 when there is none.
func cDouble(s string) (v float64, n int) {
	i := 0
	for i < len(s) && isCSpace(s[i]) {
		i++
	}
	start := i
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	rest := strings.ToLower(s[i:min(len(s), i+8)])
	switch {
	case strings.HasPrefix(rest, "infinity"):
		i += 8
	case strings.HasPrefix(rest, "inf"), strings.HasPrefix(rest, "nan"):
		i += 3
	case strings.HasPrefix(rest, "0x") && len(rest) > 2 && (digitValue(rest[2]) < 16 || rest[2] == '.'):
		return cHexDouble(s, start, i)
	default:
		i = decimalEnd(s, i)
		if i < 0 {
			return 0, 0
		}
	}
	v, err := strconv.ParseFloat(strings.TrimPrefix(s[start:i], "+"), 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, 0
	}
	return v, i
}

// decimalEnd finds the end of a decimal floating-point number at i, -1 for none.
func decimalEnd(s string, i int) int {
	digits := 0
	for i < len(s) && isDigit(s[i]) {
		i++
		digits++
	}
	if i < len(s) && s[i] == '.' {
		i++
		for i < len(s) && isDigit(s[i]) {
			i++
			digits++
		}
	}
	if digits == 0 {
		return -1
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if j < len(s) && isDigit(s[j]) {
			for j < len(s) && isDigit(s[j]) {
				j++
			}
			return j
		}
	}
	return i
}

// cHexDouble reads the 0x form whose sign begins at start and whose 0x is at i.
func cHexDouble(s string, start, i int) (float64, int) {
	j, digits, point := i+2, 0, false
	for ; j < len(s); j++ {
		if s[j] == '.' && !point {
			point = true
		} else if digitValue(s[j]) < 16 {
			digits++
		} else {
			break
		}
	}
	if digits == 0 {
		return 0, i + 1 // the 0 in front of the x is a number
	}
	number, exponent := strings.TrimPrefix(s[start:j], "+"), "p0"
	if j < len(s) && (s[j] == 'p' || s[j] == 'P') {
		if _, n := cLong(s[j+1:], 10); n > 0 && !isCSpace(s[j+1]) {
			exponent = s[j : j+1+n]
			j += 1 + n
		}
	}
	v, _ := strconv.ParseFloat(number+exponent, 64) // what does not fit is infinite
	return v, j
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// cTruncate converts to a 64-bit integer as the machine of the recordings does:
// what does not fit becomes the smallest number.
func cTruncate(f float64) int64 {
	if math.IsNaN(f) || f >= 1<<63 || f < -(1<<63) {
		return math.MinInt64
	}
	return int64(f)
}

// cScanQuad reads up to four decimal numbers with dots between, as sscanf's
// "%d.%d.%d.%d", and returns how many it read and where it stopped.
func cScanQuad(s string) (v [4]int64, count, end int) {
	for count < 4 {
		n, used := cLong(s[end:], 10)
		if used == 0 {
			return v, count, end
		}
		v[count] = int64(int32(n))
		count++
		end += used
		if count == 4 || end >= len(s) || s[end] != '.' {
			return v, count, end
		}
		end++
	}
	return v, count, end
}
