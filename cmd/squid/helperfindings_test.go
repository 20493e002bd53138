package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
	"github.com/cuttle-proxy/cuttle/conf"
)

// check-config names the successor of each helper that left with the old package, and what
// it answers when it is given the same arguments.
func TestSuccessorsAreTried(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"basic_ncsa_auth":      `while read -r l; do echo "ERR $* $l"; done`,
		"digest_file_auth":     "exit 1",
		"ext_session_acl":      "sleep 1000",
		"ext_wbinfo_group_acl": `while read -r l; do echo "OK $* $l"; done`,
	} {
		os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o700)
	}
	here := filepath.Join(dir, "ncsa_auth") // one that is there is not tried
	os.WriteFile(here, []byte("#!/bin/sh\nexit 1\n"), 0o700)
	var got []string
	try := func(patience time.Duration, lines ...string) {
		t.Helper()
		cfg, report := conf.LoadText("squid.conf", []byte("http_port 3128\nvisible_hostname x\nacl all src 0.0.0.0/0\n"+strings.Join(lines, "\n")+"\n"), conf.Options{})
		if cfg == nil {
			t.Fatal(report.Lines)
		}
		for _, f := range successorFindings(cfg, privsep.Identity{}, dir, patience) {
			got = append(got, strings.ReplaceAll(f.Fact, dir, "DIR"))
		}
	}
	try(time.Minute, "auth_param basic program /usr/lib/squid-2.6/ncsa_auth /etc/passwd", "auth_param basic concurrency 5",
		"auth_param digest program /usr/lib/squid-2.6/digest_pw_auth /x",
		"auth_param ntlm program /usr/lib/squid-2.6/fakeauth_auth",
		"external_acl_type w %SRC %LOGIN /usr/bin/perl /usr/lib/squid-2.6/wbinfo_group.pl -d",
		"url_rewrite_program "+here)
	try(500*time.Millisecond, "external_acl_type s %SRC %LOGIN /usr/lib/squid-2.6/squid_session")
	want := []string{
		`auth_param basic: DIR/basic_ncsa_auth /etc/passwd answers a question with "ERR /etc/passwd 0 check-config -"`,
		"auth_param digest: DIR/digest_file_auth /x does not answer a question: it ended",
		"auth_param ntlm: DIR/ntlm_fake_auth, which does the same today, is not installed",
		`external_acl_type w: DIR/ext_wbinfo_group_acl -d answers a question with "OK -d - -"`,
		"external_acl_type s: DIR/ext_session_acl does not answer a question: nothing came within 500ms",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
