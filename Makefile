GO ?= go

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/squid ./cmd/squid

.PHONY: build
