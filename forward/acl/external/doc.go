// Package external is the ACL type external: helpers that external_acl_type names
// decide. Types puts a question together from what is known of a request, as
// external_acl_type's % codes say, looks for the answer among those it has had, and else
// asks the helper. A request waits when another one has asked the same already.
package external
