# `make` shows what there is.

FUZZTIME ?= 1m
BENCHTIME ?= 2s
STEPS ?= 1000000
KILLS ?= 200
SOAK ?= 10m
LINTER = go tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL = help

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Serve, with a simulated fleet that enters and leaves geofences
	go run ./cmd/ambit demo

.PHONY: check
check: lint race ## Before a commit: format, vet, linters, quick tests with the race detector

.PHONY: test
test: tools ## Everything: all tests with the real clients; installs what is missing on Debian as root
	go test -timeout 9m ./...
	cd test/bench && go test ./...

.PHONY: integration
integration: tools ## Only the tests over real sockets
	go test -timeout 9m -v ./test/integration/...

.PHONY: conformance
conformance: ## Every statement of MQTT 5 and 3.1.1; of any server with AMBIT_CONFORMANCE_ADDR=host:port
	go test -count 1 -timeout 5m ./test/conformance/...

.PHONY: tools
tools: ## Install the clients that the tests call, or say which are missing
	@scripts/test-tools

.PHONY: console
console: ## Build the files of the console that the broker serves, web/console/dist, and print what they weigh
	scripts/npm-packages web/console
	cd web/console && npm run build

.PHONY: lint
lint: format vet ## gofmt, vet and the linters of .golangci.yml
	$(LINTER) run ./...

.PHONY: format
format: ## Fail when gofmt would change a file
	@scripts/check-format

.PHONY: vet
vet:
	go vet ./...
	cd test/bench && go vet ./...

.PHONY: race
race: ## Quick tests with the race detector, the import graph among them
	go test -race -short -timeout 5m ./...

.PHONY: bench
bench: tools ## Matching beside its peers, in one table, and durable publishes; BENCH='-run W3 -short'
	cd test/bench && go run . $(BENCH)
	go test -run '^$$' -bench . -benchtime $(BENCHTIME) -timeout 10m ./test/integration/...

.PHONY: benchmarks
benchmarks: ## Every benchmark in Go; BENCHTIME=2s
	go test -run '^$$' -bench . -benchtime $(BENCHTIME) -benchmem -timeout 30m ./...

.PHONY: fuzz
fuzz: ## Every fuzz test for FUZZTIME=1m each
	@scripts/fuzz $(FUZZTIME)

.PHONY: attacks
attacks: tools ## Attacks, while others may wait for three times what they do without, or while it goes to a server that does nothing
	ATTACKS=strict go test -timeout 9m -count 1 -run OthersAreServedWhile -v ./test/integration/

.PHONY: crash
crash: ## kill -9 at KILLS=200 random moments under load, all promises checked after each; SEED=n
	CRASH_KILLS=$(KILLS) CRASH_SEED=$(SEED) go test -count 1 -timeout 0 -v -run 'EveryPromiseSurvivesKill|BrokerThatForgets' ./test/integration

.PHONY: soak
soak: ## 2,000 clients for SOAK=10m, with restarts: nothing lost, memory flat, no socket left
	SOAK=$(SOAK) go test -count 1 -timeout 0 -v -run TestSoak ./test/integration

.PHONY: docs
docs: ## Write docs/settings.md, docs/metrics.md and docs/commands.md from the code
	go run ./cmd/ambit reference docs

.PHONY: release
release: ## Static binaries, Debian packages, bills of materials and checksums in dist; TARGETS='linux/arm64 …'
	@scripts/release

.PHONY: package
package: ## Build the package and the image for this machine, and try both; installs and removes ambit
	@scripts/try-package

.PHONY: model
model: ## Random sessions over sockets, and random edits of named rooms, against their models, for STEPS=1000000 each
	AMBIT_MODEL_STEPS=$(STEPS) go test -count 1 -timeout 0 -run 'TestEngineAgreesWithTheModel' ./rooms
	AMBIT_MODEL_STEPS=$(STEPS) go test -count 1 -timeout 0 -run 'TestSessionsKeepTheirPromises|TestWhatAClientKnows' ./sessions
