package main

import (
	"fmt"
	"path/filepath"

	"github.com/cuttle-proxy/cuttle/conf"
)

// helperProgram is a program the configuration wants run.
type helperProgram struct{ directive, path string }

func helperPrograms(cfg *conf.Config) (list []helperProgram) {
	add := func(directive string, command []string) {
		if len(command) > 0 {
			list = append(list, helperProgram{directive, command[0]})
		}
	}
	for _, s := range cfg.AuthSchemes {
		add("auth_param "+s.Name+" program", s.Program)
	}
	for _, e := range cfg.ExternalACLTypes {
		add("external_acl_type "+e.Name, e.Program)
	}
	add("url_rewrite_program", cfg.URLRewriteProgram)
	add("location_rewrite_program", cfg.LocationRewriteProgram)
	return list
}

// successors are the names under which later packages of Squid ship the helpers
// of 2.6 (Debian keeps them in /usr/lib/squid).
var successors = map[string]string{
	"ncsa_auth": "basic_ncsa_auth", "pam_auth": "basic_pam_auth", "getpwname_auth": "basic_getpwnam_auth", "getpwnam_auth": "basic_getpwnam_auth",
	"squid_ldap_auth": "basic_ldap_auth", "msnt_auth": "basic_smb_lm_auth", "smb_auth": "basic_smb_auth", "smb_auth.pl": "basic_smb_auth",
	"sasl_auth": "basic_sasl_auth", "yp_auth": "basic_nis_auth", "squid_radius_auth": "basic_radius_auth", "fakeauth_auth": "ntlm_fake_auth",
	"ntlm_auth": "ntlm_smb_lm_auth", "squid_kerb_auth": "negotiate_kerberos_auth", "digest_pw_auth": "digest_file_auth",
	"digest_ldap_auth": "digest_ldap_auth", "ip_user_check": "ext_file_userip_acl", "squid_ldap_group": "ext_ldap_group_acl",
	"squid_session": "ext_session_acl", "squid_unix_group": "ext_unix_group_acl", "wbinfo_group.pl": "ext_wbinfo_group_acl",
	"diskd-daemon": "diskd",
}

// movedProgram is the advice for a helper that cannot be run: many went away with
// the package of the old Squid and live on under another name.
func movedProgram(path string) string {
	if now, known := successors[filepath.Base(path)]; known {
		return fmt.Sprintf("the helper came with the old package; the same is /usr/lib/squid/%s today (Debian package squid)", now)
	}
	return "install it, or correct the path; chmod a+rx " + path
}
