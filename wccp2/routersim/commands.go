package routersim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Interface is what the router does with WCCP on one of its network interfaces.
type Interface struct {
	Name    string
	In      []wire.ServiceID // "ip wccp N redirect in"
	Out     []wire.ServiceID // "ip wccp N redirect out"
	Exclude bool             // "ip wccp redirect exclude in"
}

// Commands is what a router's own configuration says about WCCP.
type Commands struct {
	Version    int // 0: not said
	Groups     []Group
	Interfaces []Interface
	// Ignored lists lines that a lab has no use for, such as addresses: those of the
	// machine hold.
	Ignored []string
}

// ParseCommands reads the part of a router's configuration that concerns WCCP, in
// the words of its command line:
//
//	ip wccp version 2
//	ip wccp 80 password secret
//	interface GigabitEthernet0/3.100
//	 ip wccp 80 redirect in
//	 ip wccp 90 redirect out
//	interface GigabitEthernet0/3.102
//	 ip wccp redirect exclude in
//
// A redirected service is enabled without a line of its own. What the simulation
// cannot do is an error.
func ParseCommands(text string) (Commands, error) {
	var c Commands
	number := 0
	for line := range strings.Lines(text) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "!") {
			continue
		}
		if why := c.line(words); why != "" {
			return c, fmt.Errorf("line %d, %q: %s", number, strings.TrimSpace(line), why)
		}
	}
	c.enableRedirected()
	return c, nil
}

// line takes one line; the result is "" or what is wrong with it.
func (c *Commands) line(words []string) string {
	switch {
	case words[0] == "interface" && len(words) == 2:
		c.Interfaces = append(c.Interfaces, Interface{Name: words[1]})
		return ""
	case len(words) > 2 && words[0] == "ip" && words[1] == "wccp":
		return c.wccp(words[2:])
	case slices.Contains([]string{"description", "encapsulation", "no", "end", "exit"}, words[0]),
		len(words) > 1 && words[0] == "ip" && words[1] == "address":
		c.Ignored = append(c.Ignored, strings.Join(words, " "))
		return ""
	}
	return "not a command of the simulated router"
}

func (c *Commands) wccp(words []string) string {
	if words[0] == "version" {
		return c.version(words[1:])
	}
	if slices.Equal(words, []string{"redirect", "exclude", "in"}) {
		return c.onInterface(func(i *Interface) { i.Exclude = true })
	}
	service, err := ParseService(words[0])
	if err != nil {
		return err.Error()
	}
	rest := words[1:]
	switch {
	case len(rest) == 2 && rest[0] == "redirect" && rest[1] == "in":
		return c.onInterface(func(i *Interface) { i.In = append(i.In, service) })
	case len(rest) == 2 && rest[0] == "redirect" && rest[1] == "out":
		return c.onInterface(func(i *Interface) { i.Out = append(i.Out, service) })
	case len(rest) == 0:
		return c.enable(Group{Service: service})
	case len(rest) == 2 && rest[0] == "password":
		return c.enable(Group{Service: service, Password: rest[1]})
	case len(rest) == 3 && rest[0] == "password" && rest[1] == "0":
		return c.enable(Group{Service: service, Password: rest[2]})
	}
	return "the simulation knows password, redirect in, redirect out and redirect exclude in"
}

func (c *Commands) version(words []string) string {
	if len(words) != 1 || words[0] != "1" && words[0] != "2" {
		return "the version is 1 or 2"
	}
	c.Version, _ = strconv.Atoi(words[0])
	return ""
}

func (c *Commands) enable(g Group) string {
	if slices.ContainsFunc(c.Groups, func(other Group) bool { return other.Service == g.Service }) {
		return "the service is enabled twice"
	}
	c.Groups = append(c.Groups, g)
	return ""
}

// onInterface applies a command to the interface whose section this is.
func (c *Commands) onInterface(apply func(*Interface)) string {
	if len(c.Interfaces) == 0 {
		return "belongs under an interface"
	}
	apply(&c.Interfaces[len(c.Interfaces)-1])
	return ""
}

func (c *Commands) enableRedirected() {
	for _, i := range c.Interfaces {
		for _, service := range slices.Concat(i.In, i.Out) {
			c.enable(Group{Service: service}) // refuses those that are
		}
	}
}
