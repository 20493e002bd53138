# Everything is built by `go`; what is needed beside it is installed by apt, and
# only when it is missing.
GO            ?= go
VERSION       ?= 2.6.CUTTLE1
# Built-in paths. Under a PREFIX they are those of a 2.6 configured with it, without
# one Debian's; each can be set by itself.
ifdef PREFIX
SYSCONFDIR    ?= $(PREFIX)/etc
LOCALSTATEDIR ?= $(PREFIX)/var
LOGDIR        ?= $(LOCALSTATEDIR)/logs
RUNDIR        ?= $(LOCALSTATEDIR)/logs
SWAPDIR       ?= $(LOCALSTATEDIR)/cache
DATADIR       ?= $(PREFIX)/share
LIBEXECDIR    ?= $(PREFIX)/libexec
else
PREFIX        := /usr
SYSCONFDIR    ?= /etc/squid
LOCALSTATEDIR ?= /var
LOGDIR        ?= $(LOCALSTATEDIR)/log/squid
RUNDIR        ?= $(LOCALSTATEDIR)/run
SWAPDIR       ?= $(LOCALSTATEDIR)/spool/squid
DATADIR       ?= $(PREFIX)/share/squid
LIBEXECDIR    ?= $(PREFIX)/lib/squid
endif
ERRORDIR       ?= $(DATADIR)/errors
ICONDIR        ?= $(DATADIR)/icons
EFFECTIVE_USER ?= nobody
FUZZTIME      ?= 2s
# `make test` fuzzes one package in so many, another each day.
FUZZSHARE     ?= 3
TIMEOUT       ?= 10m
# With STRICT=1 a test that was skipped is a failure, but for those of its stage,
# "package.*test" each: what the race detector disturbs runs in a stage of its own, no
# test can bring a driver the kernel does not have, and what waits for half a minute is
# left to check-all. In the stages plain and exchange nothing may be skipped.
STRICT        ?=
MAY_SKIP_race := "[^"]*/tproxy/gre","Test":"TestKernelTunnel"|"[^"]*/cmd/exchange(/peers|/delays)?","Test":"(TestRecordings|TestFamily)"|"[^"]*/forward/freshness","Test":"(TestRecordings/[^"]*|TestMoreRecordings/range-206-full)"|"[^"]*/forward(/[^"]*)?","Test":"Test(RecordsAreSmall|[A-Za-z]*Alloc[A-Za-z]*|[A-Za-z]*Memory[A-Za-z]*)"$(if $(CUTTLE_FULL),,|"[^"]*/cmd/squid","Test":"TestSubscribersShareTheirCache")

# One set of flags for all that is built here or by a test, so that a package is compiled
# once; for the race detector and for fuzzing once more each.
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -trimpath)
export CGO_ENABLED := 0

CONF    := github.com/cuttle-proxy/cuttle/conf
LDFLAGS := -s -w -X $(CONF).Version=$(VERSION) \
	-X $(CONF).Prefix=$(PREFIX) -X $(CONF).SysconfDir=$(SYSCONFDIR) \
	-X $(CONF).StateDir=$(LOCALSTATEDIR) -X $(CONF).LogDir=$(LOGDIR) -X $(CONF).RunDir=$(RUNDIR) -X $(CONF).SwapDir=$(SWAPDIR) \
	-X $(CONF).DataDir=$(DATADIR) -X $(CONF).ErrorDir=$(ERRORDIR) -X $(CONF).IconDir=$(ICONDIR) -X $(CONF).LibexecDir=$(LIBEXECDIR) -X $(CONF).EffectiveUser=$(EFFECTIVE_USER)

.PHONY: all build tools demo test packages vet race plain exchange fuzz check-all bench bench-idle clean

all: build

# bin/squid: static, so it runs on any Linux of its architecture.
build:
	$(GO) build -ldflags "$(LDFLAGS)" -o bin/squid ./cmd/squid

tools: build
	$(GO) build -o bin/ ./cmd/routersim ./cmd/demo ./cmd/exchange ./cmd/bench

# $(call need,COMMAND:PACKAGE …) installs the packages whose command is missing.
define need
@missing=""; for pair in $(1); do \
	command -v "$${pair%%:*}" >/dev/null 2>&1 || PATH="$$PATH:/usr/sbin:/sbin" command -v "$${pair%%:*}" >/dev/null 2>&1 || missing="$$missing $${pair##*:}"; \
done; \
if [ -n "$$missing" ]; then \
	echo "installing by apt:$$missing"; \
	[ "$$(id -u)" = 0 ] || sudo="sudo"; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef

# The founding network in namespaces, from its own squid.conf. Needs root.
demo: build
	$(GO) build -o bin/ ./cmd/routersim ./cmd/demo
	$(call need,ip:iproute2 nft:nftables curl:curl)
	@[ "$$(id -u)" = 0 ] && exec bin/demo; echo "the demo needs root for its namespaces: using sudo"; exec sudo bin/demo

# What must hold before a change is merged, in under fifteen minutes on two cores.
# Namespace tests need root; without it they are skipped and named. Every stage is
# run, whatever became of the one before it; the first needs nothing of what is
# installed meanwhile.
test:
	@mkdir -p bin; $(MAKE) --no-print-directory packages >bin/packages.log 2>&1 & packages=$$!; \
	bad=""; $(MAKE) --no-print-directory vet || bad=" vet"; \
	wait $$packages || bad="$$bad packages"; cat bin/packages.log; \
	for stage in race plain exchange fuzz; do \
		$(MAKE) --no-print-directory $$stage || bad="$$bad $$stage"; \
	done; [ -z "$$bad" ] || { echo "make test: these stages failed:$$bad"; exit 1; }
	@echo "make test: good"

packages:
	$(call need,gcc:gcc ip:iproute2 nft:nftables iptables:iptables ipset:ipset curl:curl tshark:tshark nginx:nginx-light haproxy:haproxy squid:squid openssl:openssl slapd:slapd freeradius:freeradius krb5kdc:krb5-kdc kadmin.local:krb5-admin-server kinit:krb5-user squidGuard:squidguard wbinfo:winbind perl:perl)

vet: tools
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

# $(call tests,STAGE,FORMAT,ARGUMENTS OF go test,ENVIRONMENT); the packages were vetted.
define tests
	@mkdir -p bin/events
	tool=$$($(GO) tool -n gotestsum) && $(4) $$tool --format $(2) --hide-summary=skipped --jsonfile-timing-events bin/events/$(1).json -- -vet=off $(3)
	@[ -z "$(STRICT)" ] || ! grep '"Action":"skip"' bin/events/$(1).json | grep '"Test"' | grep -vE '"Package":($(or $(MAY_SKIP_$(1)),none))' || \
		{ echo "make $(1): a skipped test has proven nothing"; exit 1; }
endef

# Three packages at a time: several wait for timers of protocols most of the while.
race: tools
	$(call tests,race,pkgname,-race -p 3 -timeout $(TIMEOUT) ./...,CGO_ENABLED=1)

# What the race detector disturbs: allocations, memory, the soak of 50,000
# transactions.
plain: export CUTTLE_SOAK=50000
plain: tools
	$(call tests,plain,pkgname,-count=1 -timeout $(TIMEOUT) -run 'Alloc|Memory|Soak|Small' ./forward/...)

# The recordings of Squid 2.6, played through the real binary.
exchange: tools
	$(call tests,exchange,standard-verbose,-count=1 -run "TestRecordings|TestFamily" ./cmd/exchange ./cmd/exchange/peers ./cmd/exchange/delays -args -recordings)

# Two targets at a time, each on a core of its own, once the tests of each package are
# linked for them. Go's fuzzer now and then takes the end of its own time for a failure
# ("context deadline exceeded", no input written down): such a target is run once more,
# for a number of inputs, as only a time has that end. Making an interesting input
# smaller may take no more than a few tries, or it eats the time. What is interesting is
# kept where `go test -fuzz` keeps it.
fuzz:
	@rm -rf bin/fuzz; mkdir -p bin/fuzz; kept=$$($(GO) env GOCACHE)/fuzz/$$($(GO) list -m); \
	git ls-files '*_test.go' | xargs grep -lE '^func Fuzz' | xargs -n 1 dirname | sort -u | \
	awk -v share=$(FUZZSHARE) -v day=$$(($$(date +%s) / 86400)) 'NR % share == day % share' | while read -r dir; do \
		program=$$PWD/bin/fuzz/$$(echo $$dir | tr / -).test; \
		$(GO) test -vet=off -c -fuzz . -ldflags "-s -w" -o $$program ./$$dir >&2 || echo "$$dir none $$program $$kept/$$dir"; \
		grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | sed "s|^func \(.*\)|$$dir \1 $$program $$kept/$$dir|"; \
	done | xargs -P 2 -L 1 sh -c '\
		echo "fuzzing $$1 in $$0 for $(FUZZTIME)"; cd "$$0" || exit 1; \
		run() { out=$$(timeout $(TIMEOUT) $$2 -test.run "^$$" -test.fuzz "^$$1\$$" -test.fuzztime "$$4" -test.fuzzminimizetime 20x -test.parallel 1 -test.fuzzcachedir "$$3" 2>&1); }; \
		overtime() { case $$out in *"Failing input"*) false;; *"context deadline exceeded"*) true;; *) false;; esac; }; \
		run "$$@" $(FUZZTIME) || { overtime && run "$$@" 2000x; } || { echo "$$out"; exit 1; }'

# Everything at full size: every recorded WCCP scenario on the real binary, the
# large simulations and transfers, a minute of fuzzing each.
check-all:
	$(call need,chromium:chromium)
	CUTTLE_FULL=1 CUTTLE_WCCP_REPLAY=all $(MAKE) test FUZZTIME=60s FUZZSHARE=1 TIMEOUT=60m
	$(MAKE) demo

# What the proxy costs beside others, which are installed for it, and what reading
# a configuration of 100,000 lines costs.
bench: tools
	$(call need,ip:iproute2 nft:nftables nginx:nginx-light haproxy:haproxy traffic_server:trafficserver)
	bin/bench -bin bin/squid
	$(GO) test -run '^$$' -bench 100k ./parser ./conf

# Memory for each of 20,000 idle spliced connections, where this machine's limit of
# descriptors does not allow for them: in User Mode Linux, in about a quarter of an hour.
bench-idle: tools
	$(call need,linux.uml:user-mode-linux iptables-legacy:iptables)
	bin/bench -bin bin/squid -only tlsidle -guest

clean:
	rm -rf bin
