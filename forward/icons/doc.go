// Package icons holds the MIME table (mime_table) and the icons it names, which
// every proxy serves under /squid-internal-static/icons/ and which directory
// listings of the gateways point to.
//
// Table and icons come from the operator's files when these exist. Otherwise
// the program has a table of its own with 2.6's icon names, so that listings
// and links that know those names keep working, and draws the icons itself.
//
// An icon is a small object that never changes while the proxy runs:
//
//	if name, ok := icons.StaticName(path); ok {
//		icon := set.Icon(name) // nil: answer 404 ERR_INVALID_REQ
//	}
//
// Entry tells a gateway what a file is by its name: content type, encoding,
// icon, transfer mode, and whether a listing offers to view or download it.
package icons
