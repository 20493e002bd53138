// Package errpage makes the pages the proxy answers with itself: its errors,
// the operator's own pages and the redirections of deny_info.
//
//	pages, err := errpage.Load(cfg, errpage.Env{...})       // once per configuration
//	page := pages.Page(errpage.AccessDenied)
//	if name, ok := pages.DenyInfo(aclName, true); ok { page = pages.Page(name) }
//	page.Reply(&out, facts, status)                          // fields of the reply head
//	body = page.Append(body, facts)                          // its body, "" for redirections
//
// # Templates
//
// Pages have Squid's names (ERR_DNS_FAIL and so on). Each comes from a file of
// that name in error_directory when there is one, so template directories
// written for 2.6 work unchanged, and otherwise from a text of our own built
// into the program. A page named by deny_info that is neither must exist as a
// file. A template without "%s" gets the signature (%S) at its end.
//
// Templates are cut at their %-codes once; a page is then put together by
// appending. Codes:
//
//	%a user            %B FTP URL as a directory      %c page name
//	%e errno           %E errno and its text          %f FTP request
//	%F FTP reply       %g FTP server's message        %h this proxy's name
//	%H origin or peer  %i client address              %I origin or peer address
//	%L err_html_text   %m authenticator's message     %M method
//	%o external ACL's message                         %p port
//	%P scheme          %R request                     %s squid/VERSION
//	%S signature       %t local time                  %T time
//	%u URL             %U URL as logged               %w cache_mgr
//	%z resolver's message                             %% percent sign
//	%l %W nothing: later releases put a style sheet and a mail text there
//
// Templates of later releases are used from an error_directory that is named in
// squid.conf; lying in the default one they are somebody else's, and passed over.
//
// Everything but %L and %S, which are the operator's own markup, is escaped for
// HTML, in text and in quoted attributes alike: no client or origin can put
// markup into a page.
package errpage
