package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// successorFolder is where Debian's package has the helpers of later Squids.
const successorFolder = "/usr/lib/squid"

// trialPatience is how long a helper may think about the one question of check-config.
const trialPatience = 5 * time.Second

// trial is a helper program of the configuration and a question it must be able to
// answer, whatever the answer is.
type trial struct {
	directive string
	program   []string
	question  string
}

// helperTrials are the programs a configuration names.
func helperTrials(cfg *conf.Config) (list []trial) {
	add := func(directive string, program []string, concurrency int, question string) {
		if concurrency > 0 {
			question = "0 " + question
		}
		if len(program) > 0 {
			list = append(list, trial{directive, program, question})
		}
	}
	for _, s := range cfg.AuthSchemes {
		add("auth_param "+s.Name, s.Program, s.Concurrency, map[string]string{"basic": "check-config -",
			"digest": `"check-config":"` + s.Realm + `"`, "ntlm": "YR", "negotiate": "YR"}[s.Name])
	}
	for _, e := range cfg.ExternalACLTypes {
		add("external_acl_type "+e.Name, e.Program, e.Concurrency, strings.TrimSuffix(strings.Repeat("- ", len(e.Format)), " "))
	}
	const request = "http://check-config.invalid/ 127.0.0.1/- - GET -"
	add("url_rewrite_program", cfg.URLRewriteProgram, cfg.URLRewriteConcurrency, request)
	add("storeurl_rewrite_program", cfg.StoreURLRewriteProgram, cfg.StoreURLRewriteConcurrency, request)
	add("location_rewrite_program", cfg.LocationRewriteProgram, cfg.LocationRewriteConcurrency, "http://check-config.invalid/")
	return list
}

// successorFindings tries, for each helper that left with the package of the old Squid, the
// one that does the same today: with the arguments of the configuration, as the user the
// proxy will be, by one question.
func successorFindings(cfg *conf.Config, id privsep.Identity, folder string, patience time.Duration) (list []host.Finding) {
	for _, t := range helperTrials(cfg) {
		program, ok := succeeded(t.program, folder)
		if !ok {
			continue
		}
		f := host.Finding{ID: "helper", Level: host.Warn, Remedy: "name it in " + t.directive + ", with its options of today"}
		answer, err := askOnce(program, t.question, id, patience)
		switch {
		case os.IsNotExist(err):
			f.Fact, f.Remedy = fmt.Sprintf("%s: %s, which does the same today, is not installed", t.directive, program[0]), "apt-get install squid"
		case err != nil:
			f.Fact = fmt.Sprintf("%s: %s does not answer a question: %v", t.directive, strings.Join(program, " "), err)
		default:
			f.Level = host.OK
			f.Fact = fmt.Sprintf("%s: %s answers a question with %s", t.directive, strings.Join(program, " "), strconv.Quote(answer))
		}
		list = append(list, f)
	}
	return list
}

// succeeded puts the successor into the place of a program, or of the script it runs,
// that is not there.
func succeeded(program []string, folder string) ([]string, bool) {
	for i, word := range program[:min(2, len(program))] {
		now := conf.Successor(word)
		if _, err := os.Stat(word); now == "" || err == nil {
			continue
		}
		return append([]string{filepath.Join(folder, now)}, program[i+1:]...), true
	}
	return nil, false
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4096

// askOnce runs a helper for one question.
func askOnce(program []string, question string, id privsep.Identity, patience time.Duration) (answer string, err error) {
	if _, err := os.Stat(program[0]); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: id.Credential()}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Env = helper.Environment(os.Environ())
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	go fmt.Fprintln(in, question) // it ends when the pipe does
	line, err := bufio.NewReaderSize(io.LimitReader(out, maxAnswer), maxAnswer).ReadString('\n')
	late := ctx.Err() != nil
	cmd.Cancel()
	cmd.Wait()
	switch {
	case late:
		return "", fmt.Errorf("nothing came within %v", patience)
	case err != nil:
		return "", fmt.Errorf("it ended")
	}
	return strings.TrimRight(line, "\r\n"), nil
}
