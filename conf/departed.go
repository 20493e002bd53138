package conf

import "path/filepath"

// departedPrograms came with packages of 2.6, and what later packages call them.
var departedPrograms = map[string]string{
	"ncsa_auth":         "basic_ncsa_auth",
	"pam_auth":          "basic_pam_auth",
	"getpwname_auth":    "basic_getpwnam_auth",
	"getpwnam_auth":     "basic_getpwnam_auth",
	"squid_ldap_auth":   "basic_ldap_auth",
	"msnt_auth":         "basic_smb_lm_auth",
	"smb_auth":          "basic_smb_auth",
	"smb_auth.pl":       "basic_smb_auth",
	"sasl_auth":         "basic_sasl_auth",
	"yp_auth":           "basic_nis_auth",
	"squid_radius_auth": "basic_radius_auth",
	"digest_pw_auth":    "digest_file_auth",
	"fakeauth_auth":     "ntlm_fake_auth",
	"ntlm_auth":         "ntlm_smb_lm_auth",
	"squid_kerb_auth":   "negotiate_kerberos_auth",
	"ip_user_check":     "ext_file_userip_acl",
	"squid_ldap_group":  "ext_ldap_group_acl",
	"squid_session":     "ext_session_acl",
	"squid_unix_group":  "ext_unix_group_acl",
	"wbinfo_group.pl":   "ext_wbinfo_group_acl",
	"diskd-daemon":      "diskd",
}

// Successor is the name under which later packages of Squid have a helper
// program of 2.6, "" when nothing is known of it.
func Successor(path string) string { return departedPrograms[filepath.Base(path)] }

// departed says what became of a helper program, "" when nothing is known.
func departed(path string) string {
	if now := Successor(path); now != "" {
		return "The program came with the old package; later ones have it as " + now + "."
	}
	return ""
}
