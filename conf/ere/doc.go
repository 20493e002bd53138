// Package ere reads POSIX extended regular expressions as the C library of Linux
// (glibc's regcomp with REG_EXTENDED and REG_NOSUB, in the C locale) reads them,
// and says the same in the syntax of Go's regexp package.
//
// Squid 2.6 hands every pattern of its configuration to that library, so its
// dialect, with the GNU operators and some odd corners, is what squid.conf files
// are written in. What differs from Go's:
//
//	\w \W \s \S \b \B \< \> \` \'   GNU operators; any other escaped character,
//	                                \d for instance, is that character
//	[\w]  [a\]b]                    a backslash in brackets is a plain character
//	a)    a}                        plain characters
//	^*  |*  {                       refused: nothing to repeat
//	a{,3}  a{1,30000}               accepted
//	a**                             accepted
//	(a)\1                           a back-reference
//
// Matching is by bytes. Ignoring case means that pattern and subject are both
// put into upper case first, which shows in ranges: [A-z] then lacks "_", and
// [Z-a] is out of order. An escaped letter escapes that as well: \e matches
// nothing then.
//
// parse makes a tree, or gives the refusal in the library's words. emit writes
// the tree in Go's syntax, literals finds texts that every match contains, and
// Matcher runs the few trees Go's syntax has no words for.
package ere
