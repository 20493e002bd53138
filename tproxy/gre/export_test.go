package gre

// What the tests of the whole way need of this package's inside: a device for the
// router they build.
var OpenTUN = openTUN
