// Package refreshcheck asks external_refresh_check about stale objects (Squid 2.7): before
// the origin is asked whether one is still the same, a program is told what the format
// says of it,
//
//	http://origin.test/a max-age=60 75
//
// each word escaped, "-" for what is not there, and answers
//
//	FRESH freshness=30 res{Cache-Control}=max-age%3D30
//
// (or STALE): the object is fresh for so many seconds more, and has those fields in the
// place of its own. A program that cannot be asked, or answers something else, has said
// STALE. What 2.7 logged of log= is not shown.
package refreshcheck
