# `make` alone builds; see CONTRIBUTING.md for when to run what.
FUZZTIME ?= 30s

.PHONY: build test race lint fuzz bench bench-mongo campaign looks ci demo cover clean

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

bench-mongo: # submissions against the driver's bare InsertOne, on the server that EPRO_TEST_MONGODB_URL names
	@test -n "$$EPRO_TEST_MONGODB_URL" || { echo "set EPRO_TEST_MONGODB_URL to a MongoDB server; the stand-in's figure means nothing" >&2; exit 1; }
	go test -run '^$$' -bench MongoDB -benchtime 1x ./api
	go test -run '^$$' -bench Append ./store/mongo

campaign: # the kill, race and year campaigns at their full counts: an hour or two, in memory where there is such a folder
	GOTMPDIR=$${TMPDIR:-/tmp} TMPDIR=$$(test -w /dev/shm && echo /dev/shm || echo $${TMPDIR:-/tmp}) \
		EPRO_CAMPAIGN=full go test -run Campaign -timeout 180m -v ./...

looks: # pictures of every screen of the patient's app, in ./looks
	mkdir -p looks
	EPRO_CAMPAIGN=full EPRO_SHOTS=$(CURDIR)/looks bash .ci/run looks

ci:
	bash .ci/run

demo:
	go run ./cmd/epro demo

cover:
	go test -coverprofile=cover.out ./...
	go tool cover -func=cover.out | tail -1

clean:
	rm -rf epro cover.out .ci/tools
