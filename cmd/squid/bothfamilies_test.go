package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ipv4Only are the tests in namespaces that have to do with one family, and why. All
// others are run with IPv4 and with IPv6 subscribers, origins or rules.
var ipv4Only = map[string]string{
	"cmd/bench TestEndedConnectionsAreForgotten":                "the bench's own network is IPv4's",
	"cmd/demo TestACacheThatEndsIsReported":                     "TestTheDemo has the IPv6 subscriber",
	"cmd/demo TestTheDemoFailsHonestly":                         "TestTheDemo has the IPv6 subscriber",
	"cmd/demo TestTwoCaches":                                    "TestTheDemo has the IPv6 subscriber",
	"cmd/routersim TestARestartStopsRedirection":                "a router that speaks IPv4 WCCP",
	"cmd/routersim TestBothDirectionsGoThroughTheCacheByGRE":    "a router that speaks IPv4 WCCP",
	"cmd/routersim TestBothDirectionsGoThroughTheCacheByLayer2": "a router that speaks IPv4 WCCP",
	"cmd/routersim TestMaskAssignmentRedirects":                 "a router that speaks IPv4 WCCP",
	"cmd/routersim TestTheNamespaceIsGivenBack":                 "a router that speaks IPv4 WCCP",
	"cmd/routersim TestUnassignedBucketsAreForwarded":           "a router that speaks IPv4 WCCP",
	"cmd/routersim TestWithoutACacheTheRouterForwards":          "a router that speaks IPv4 WCCP",
	"cmd/squid TestEveryThreadKeepsOnlyTheCapabilitiesNeeded":   "capabilities have no family",
	"cmd/squid TestGREFromRoutersOfAReconfigureAlone":           "GRE between IPv4 hosts",
	"cmd/squid TestLateInterfaceIsToldOf":                       "rp_filter, which IPv6 does not have",
	"cmd/squid TestMissingCapabilityIsNamed":                    "capabilities have no family",
	"cmd/squid TestNothingBlackholesThroughGRE":                 "a router that speaks IPv4 WCCP; IPv6 through GRE is TestTLSThroughGRE's",
	"cmd/squid TestOutOfDescriptors":                            "descriptors have no family",
	"cmd/squid TestSubscribersShareTheirCache":                  "a router that speaks IPv4 WCCP",
	"tproxy/gre TestDecapsulatedPacketsArriveOnTheDevice":       "GRE between IPv4 hosts; TestTransfersThroughGREAreIntact has both families inside",
	"tproxy/gre TestGuardKeepsStrangersOut":                     "GRE between IPv4 hosts; TestTransfersThroughGREAreIntact has both families inside",
	"tproxy/gre TestHostilePacketsAreCountedAndHarmless":        "GRE between IPv4 hosts; TestTransfersThroughGREAreIntact has both families inside",
	"tproxy/gre TestKernelTunnel":                               "the kernel's driver for GRE between IPv4 hosts",
	"tproxy/gre TestLossIsCounted":                              "GRE between IPv4 hosts; TestTransfersThroughGREAreIntact has both families inside",
	"tproxy/gre TestOneDeviceOneOwner":                          "GRE between IPv4 hosts; TestTransfersThroughGREAreIntact has both families inside",
	"tproxy/gre TestPacketsThatAreNotOursGoBackToTheirRouter":   "GRE between IPv4 hosts; TestTransfersThroughGREAreIntact has both families inside",
	"tproxy/gre TestSocketOfAnotherProcess":                     "GRE between IPv4 hosts; TestTransfersThroughGREAreIntact has both families inside",
	"tproxy/gre TestStrangersAreDropped":                        "GRE between IPv4 hosts; TestTransfersThroughGREAreIntact has both families inside",
	"tproxy/host TestAFailedStepUndoesTheRest":                  "setup of seedWant, which is of both families",
	"tproxy/host TestForeignRuleForOneInterface":                "the name of an interface in a rule",
	"tproxy/host TestPortsInUse":                                "who holds a port, whatever its address",
	"tproxy/host TestReadmeCommands":                            "the commands of the README are for IPv4",
	"tproxy/host TestScriptDoesWhatSetupDoes":                   "setup of seedWant, which is of both families",
	"tproxy/host TestSetupNeedsAPlaceToRemember":                "setup of seedWant, which is of both families",
	"tproxy/host TestSetupSurvivesACrash":                       "setup of seedWant, which is of both families",
	"tproxy/host TestSetupWithoutTheRight":                      "setup of seedWant, which is of both families",
	"tproxy/host TestStateOfAnotherBootIsForgotten":             "setup of seedWant, which is of both families",
	"tproxy/host TestTeardownLeavesWhatOthersChanged":           "setup of seedWant, which is of both families",
	"tproxy/netlab TestDoLeavesTheThreadWhereItWas":             "namespaces alone, no addresses",
	"tproxy/netlab TestHereStaysWhenTheLabGoes":                 "namespaces alone, no addresses",
	"wccp2 TestReplayScenarios":                                 "recordings of IPv4 WCCP",
}

// saysIPv6 are the words of a test that has to do with IPv6.
var saysIPv6 = regexp.MustCompile(`IPv6|famil|ip6|::|\b-6\b|[vV]6|[a-z]6$`)

// Every test in namespaces has to do with both families, or is in the list.
func TestNamespaceTestsKnowBothFamilies(t *testing.T) {
	left, found := make(map[string]bool), 0
	for test := range ipv4Only {
		left[test] = true
	}
	err := filepath.WalkDir("../..", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
		said := parseWords(t, files)
		for name := range said {
			if !strings.HasPrefix(name, "Test") || !said.reach(name, "ForTest") {
				continue
			}
			found++
			rel, _ := filepath.Rel("../..", dir)
			test := filepath.ToSlash(rel) + " " + name
			listed := left[test]
			delete(left, test)
			switch knows := said.knowIPv6(name); {
			case knows && listed:
				t.Errorf("%s is listed as IPv4's and knows of IPv6", test)
			case !knows && !listed:
				t.Errorf("%s knows nothing of IPv6: run it in both families, or say why not", test)
			}
		}
		return nil
	})
	if err != nil || found < 50 {
		t.Errorf("%d tests in namespaces, %v", found, err)
	}
	for test := range left {
		t.Errorf("%s is listed and is not there", test)
	}
}

// words are the names and texts in each function, method and value of a package's tests.
type words map[string][]string

func parseWords(t *testing.T, files []string) words {
	all := words{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Body != nil {
					all.add(d.Name.Name, d.Body)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for _, name := range v.Names {
							all.add(name.Name, v)
						}
					}
				}
			}
		}
	}
	return all
}

func (all words) add(name string, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if n.Name != name {
				all[name] = append(all[name], n.Name)
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				all[name] = append(all[name], strings.Trim(n.Value, "`\""))
			}
		}
		return true
	})
}

// reach reports whether a function calls another one, directly or not.
func (all words) reach(from, to string) bool {
	seen := map[string]bool{}
	var look func(string) bool
	look = func(name string) bool {
		if seen[name] || all[name] == nil {
			return false
		}
		seen[name] = true
		return slices.Contains(all[name], to) || slices.ContainsFunc(all[name], look)
	}
	return look(from)
}

// knowIPv6 reports whether a test speaks of IPv6: itself, by a value it uses, or in what
// only a few tests have done for them. What most call says nothing of any of them.
func (all words) knowIPv6(test string) bool {
	const few = 4
	seen := map[string]bool{}
	var look func(string) bool
	look = func(name string) bool {
		if seen[name] || all[name] == nil || name != test && (strings.HasPrefix(name, "new") || all.users(name) > few) {
			return false
		}
		seen[name] = true
		return slices.ContainsFunc(all[name], saysIPv6.MatchString) || slices.ContainsFunc(all[name], look)
	}
	return look(test)
}

// users is how many functions use a name.
func (all words) users(name string) (n int) {
	if all[name] == nil {
		return 0
	}
	for _, words := range all {
		if slices.Contains(words, name) {
			n++
		}
	}
	return n
}
