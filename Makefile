# Attention Bank. `make help` lists what there is.

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME    := 10s
# One line a fuzz target: package and name. architecture_test.go compares it with the code.
FUZZ := $(shell cat testdata/fuzz-targets.txt)

.PHONY: help run build test lint fuzz bench peers race clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: build ## Build and start the bank on 127.0.0.1:8080, with its files in ./data
	./bin/attentionbank serve

build: ## Build bin/attentionbank
	go build -trimpath -o bin/attentionbank ./cmd/attentionbank

# Many packages wait for servers, disks and browsers, so more of them run at a
# time than there are processors. Without -count=1 the end-to-end tests would be
# taken from the cache, which does not know their binary.
test: build e2e/node/node_modules e2e/python/packages ## Install what the tests need, then run every test
	./storetest/install-postgres
	./e2e/install-chromium
	cd sdk/js && node --test
	go vet ./...
	go test -count=1 -timeout 20m -p 4 ./...

e2e/node/node_modules sdk/js/node_modules bench/peers/books/node_modules: %/node_modules: %/package.json %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
	touch $@

e2e/python/packages: e2e/python/requirements.txt
	@if python3 -m pip --version > /dev/null 2>&1; then \
		python3 -m pip install --quiet --target $@ --upgrade --no-deps --require-hashes -r $< && touch $@; \
	else echo "python3 with pip is not there; tests that need $< say that they are skipped"; fi

race: ## Run the tests under the race detector
	go test -race -timeout 30m ./...

lint: sdk/js/node_modules ## Formatting, staticcheck, types of the JavaScript client, known vulnerabilities
	@test -z "$$(gofmt -l .)" || { echo "not formatted:"; gofmt -l .; exit 1; }
	go run $(STATICCHECK) ./...
	cd bench/peers && go vet ./...
	cd sdk/js && npm run --silent check
	@mkdir -p bin
	@go run $(GOVULNCHECK) ./... > bin/govulncheck.txt 2>&1; status=$$?; cat bin/govulncheck.txt; \
	if [ $$status -ne 0 ] && ! grep -q '^Vulnerability #' bin/govulncheck.txt; then \
		echo "govulncheck: the vulnerability database cannot be reached from here; nothing was checked"; \
	else exit $$status; fi

# Inputs are not made small for a minute each, the default: a bank has too many bytes.
fuzz: ## Fuzz every parser for FUZZTIME each
	@set -e; for target in $(FUZZ); do \
		echo "$$target"; go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./$${target%%:*}; done

bench: build ## Measure this machine; JSON lines
	./bin/attentionbank bench

peers: build bench/peers/books/node_modules ## Measure this machine beside others; PEERS="--store URL" adds PostgreSQL
	cd bench/peers && go run . $(PEERS)

clean: ## Remove what was built; never ./data
	rm -rf bin e2e/node/node_modules e2e/python/packages sdk/js/node_modules bench/peers/books/node_modules
