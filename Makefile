# `make` alone builds; see CONTRIBUTING.md for when to run what.
FUZZTIME ?= 30s

.PHONY: build test race lint fuzz bench campaign ci demo cover clean

build:
	CGO_ENABLED=0 go build -trimpath -o epro ./cmd/epro

test:
	go test ./...

race:
	bash .ci/run race

lint:
	bash .ci/run format vet lint vulns guard

fuzz: # each fuzz target for FUZZTIME
	FUZZTIME=$(FUZZTIME) bash .ci/run fuzz

bench:
	go test -run '^$$' -bench . -benchmem ./...

campaign: # the kill and race campaigns at their full counts: up to an hour
	EPRO_CAMPAIGN=full go test -run Campaign -timeout 60m -v ./...

ci:
	bash .ci/run

demo:
	go run ./cmd/epro demo

cover:
	go test -coverprofile=cover.out ./...
	go tool cover -func=cover.out | tail -1

clean:
	rm -rf epro cover.out .ci/tools
