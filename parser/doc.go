// Package parser turns the text of a squid.conf into a syntax tree: a list of
// logical lines, each a directive's name and its arguments, every word with its
// place in the file. It knows the lexical rules of Squid 2.6 and no directive.
//
// The rules (recorded in testdata/conf, group gram):
//
//   - physical lines are read in pieces of at most 8191 bytes; a longer line
//     falls apart and each piece counts as a line of its own;
//   - a piece is cut at the first NUL, then at LF, then at CR;
//   - empty pieces and pieces that begin with # are skipped, also inside a
//     continuation;
//   - a backslash as the last byte joins the next piece with nothing between;
//     a file that ends there loses the logical line;
//   - words are separated by blanks and tabs; nothing is quoted at this level,
//     because 2.6 honours quotes in some values only;
//   - line numbers count pieces from 1, and a logical line carries the number and
//     the text of its last piece.
//
// The grammar is participle's, over a lexer of our own that emits two tokens a
// line: the name and the rest. Splitting the rest into words is left to Args,
// which does it once and remembers offsets only; that keeps a file of 100,000
// lines well under a second.
package parser
