package acl

// lowered maps ASCII letters to lower case and leaves all other bytes.
var lowered = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// lower is s with ASCII letters in lower case. All other bytes stay what they
// are: two names that differ in bytes of no known encoding must not become one.
func lower(s string) string {
	for i := range len(s) {
		if lowered[s[i]] != s[i] {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lowered[b[i]]
			}
			return string(b)
		}
	}
	return s
}
