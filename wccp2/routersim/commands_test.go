package routersim

import (
	"os"
	"reflect"
	"testing"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

func TestCommandsOfTheFoundingNetwork(t *testing.T) {
	text, err := os.ReadFile("testdata/founding.conf")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseCommands(string(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Interface{
		{Name: "GigabitEthernet0/3.100", In: []wire.ServiceID{requests.ServiceID}, Out: []wire.ServiceID{replies.ServiceID}},
		{Name: "GigabitEthernet0/3.101", In: []wire.ServiceID{requests.ServiceID}, Out: []wire.ServiceID{replies.ServiceID}},
		{Name: "GigabitEthernet0/3.102", Exclude: true},
	}
	if !reflect.DeepEqual(got.Interfaces, want) {
		t.Errorf("interfaces %+v", got.Interfaces)
	}
	if len(got.Groups) != 2 || got.Groups[0].Service != requests.ServiceID || got.Groups[1].Service != replies.ServiceID {
		t.Errorf("groups %+v", got.Groups)
	}
	if len(got.Ignored) != 9 {
		t.Errorf("ignored %q", got.Ignored)
	}
}

func TestCommands(t *testing.T) {
	got, err := ParseCommands("ip wccp version 1\nip wccp web-cache password s3cret\nip wccp 51 password 0 other\n! done\n")
	want := Commands{Version: 1, Groups: []Group{
		{Service: wire.ServiceID{}, Password: "s3cret"},
		{Service: wire.ServiceID{Type: wire.Dynamic, ID: 51}, Password: "other"},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{
		"ip wccp version 3", "ip wccp 256", "ip wccp 80 redirect in", "ip wccp redirect exclude in",
		"ip wccp 80 redirect-list 10", "router bgp 1", "ip wccp 80\nip wccp 80", "interface", "ip wccp 80 password 7 070C285F",
	} {
		if _, err := ParseCommands(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParseCommands(f *testing.F) {
	f.Add("ip wccp 80\ninterface a\n ip wccp 80 redirect in\n")
	f.Fuzz(func(_ *testing.T, text string) { ParseCommands(text) })
}
