// Package rewrite asks the programs that change URLs: url_rewrite_program what a client
// asks for, location_rewrite_program where a reply sends it, storeurl_rewrite_program
// under which URL an object is kept. The lines are Squid 2.6's:
//
//	URL CLIENT/NAME USER METHOD URLGROUP    url_rewrite_program, storeurl_rewrite_program
//	LOCATION URL URLGROUP                   location_rewrite_program
//
// and so are the answers: the first word of a line, an empty one changes nothing. Programs
// for later releases answer OK or ERR and words KEY=VALUE; they are understood, for what
// they block would be let through otherwise.
package rewrite
