package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{
		"-router", "10.0.0.1=192.0.2.9",
		"-config", "../../wccp2/routersim/testdata/founding.conf", "-link", "GigabitEthernet0/3.100=sub0",
		"-forwarding", "l2", "-assignment", "mask", "-faults", "loss_out=0.5", "-at", "30s restart", "-at", "1m @10.0.0.1 faults silent",
		"-interval", "1s",
	}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.commands.Interfaces[0].Name != "sub0" || o.commands.Interfaces[1].Name != "GigabitEthernet0/3.101" {
		t.Errorf("interfaces %+v", o.commands.Interfaces)
	}
	c := o.config(o.routers[0])
	if c.ID.String() != "192.0.2.9" || c.Forwarding != wire.MethodL2 || c.Return != 3 || c.Assignment != wire.MethodMask || c.Interval != time.Second || c.Faults.LossOut != 0.5 {
		t.Errorf("config %+v", c)
	}
	if len(o.script) != 2 || o.script[0].after != 30*time.Second || o.script[0].command != "restart" {
		t.Errorf("script %+v", o.script)
	}
}

func TestSeveralRoutersWithoutInterfaces(t *testing.T) {
	o, err := parseOptions([]string{"-router", "10.0.0.1", "-router", "10.0.0.2", "-command", "ip wccp 80 password secret"}, io.Discard)
	if err != nil || len(o.routers) != 2 || len(o.commands.Groups) != 1 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestBadOptionsSayWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		"": "no -router",
		"-router ::1 -config testdata/one-interface.conf":                       "packets of IPv6 are not redirected",
		"-router 10.0.0.1=::1":                                                  "of a family",
		"-router ::ffff:10.0.0.1":                                               "want an address",
		"-router 10.0.0.1 more":                                                 "unexpected",
		"-router 10.0.0.1 -port 0":                                              "port",
		"-router 10.0.0.1 -interval 1us":                                        "interval",
		"-router 10.0.0.1 -forwarding x":                                        "method",
		"-router 10.0.0.1 -mask-view x":                                         "mask view",
		"-router 10.0.0.1 -faults x=1":                                          "known: loss_in",
		"-router 10.0.0.1 -config /no/such":                                     "no such file",
		"-router 10.0.0.1 -command interface":                                   "not a command",
		"-router 10.0.0.1 -link a":                                              "NAME=DEVICE",
		"-router 10.0.0.1 -at 30s":                                              "not known",
		"-router 10.0.0.1 -router 10.0.0.2 -config testdata/one-interface.conf": "one -router only",
	} {
		_, err := parseOptions(strings.Fields(line), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
	if _, err := parseOptions([]string{"-router", "10.0.0.1", "-at", "1s faults x"}, io.Discard); err == nil {
		t.Error("a planned command with a fault that does not exist was taken")
	}
}

func TestHelpNamesEverything(t *testing.T) {
	var help strings.Builder
	if _, err := parseOptions([]string{"-h"}, &help); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, word := range []string{"ip wccp 80 redirect in", "-control", "loss_out", "wrong_receive_id", "inject", "@ADDR", "cache joined"} {
		if !strings.Contains(help.String(), word) {
			t.Errorf("-h does not mention %q", word)
		}
	}
}
