package intercept

import (
	"fmt"
	"io"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// Rules is network_setup: the rules, routes and kernel variables of interception,
// made at the start, kept up as the configuration and the host change, and taken
// back at the end. It remembers whether there is anything to take back.
type Rules struct{ made bool }

// atStart makes what a configuration wants and tells about it.
func (r *Rules) atStart(cfg *conf.Config, report io.Writer) error {
	want := Want(cfg)
	if !cfg.NetworkSetup || !want.Intercepts() {
		return nil
	}
	r.made = true
	return host.Setup(want, host.Options{Report: report})
}

// Made says that the rules of a configuration were made by the process that
// started this one.
func (r *Rules) Made(cfg *conf.Config) { r.made = cfg.NetworkSetup }

// Again makes what a configuration wants, of which some may be there already, or
// takes it back when it no longer wants it.
func (r *Rules) Again(cfg *conf.Config) error {
	want := Want(cfg)
	switch {
	case cfg.NetworkSetup && want.Intercepts():
		r.made = true
		return host.Setup(want, host.Options{Report: io.Discard})
	case r.made:
		r.made = false
		return host.Teardown(host.Options{})
	}
	return nil
}

// AtEnd takes back what network_setup did.
func (r *Rules) AtEnd(cfg *conf.Config) error {
	if !cfg.NetworkSetup {
		return nil
	}
	return host.Teardown(host.Options{})
}

// setUpRulesAgain is network_setup after a reconfigure, or when interfaces have
// come. A process that gave root up has its Root do it.
func (h *Host) setUpRulesAgain() error {
	var err error
	if h.Root != nil {
		err = h.Root.SetUpRules()
	} else {
		err = h.rules.Again(h.cfg)
	}
	if err != nil {
		return fmt.Errorf("network_setup: %w", err)
	}
	return nil
}
