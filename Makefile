# Everything a person or CI does here is a target of this file. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Node 24 first on the PATH: hack/node24 brings it where the system's is older, and prints its folders.
NODE := bin=$$(hack/node24); export PATH="$$bin:$$PWD/node_modules/.bin:$$PATH";
RESULTS := .cache/test-results
VITEST := vitest run --reporter=default --reporter=json
# In CI the files that failed are run once more, in a process of their own, and named at the end.
SUITE := node hack/suites/main.ts

.PHONY: help build generate verify test unit integration e2e images demo cluster cluster-down conformance bench bench-runtime bench-raw bench-shadow bench-rollout bench-training e2e-judgement serve soak container-test cuda-test stores-test kueue-test pytorch-test e2e-pytorch simulate package clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

.cache/npm: package.json package-lock.json .npmrc $(wildcard */package.json */src/package.json)
	@$(NODE)
	echo "· installing npm packages"
	ONNXRUNTIME_NODE_INSTALL=skip npm ci --no-audit --no-fund --loglevel=error
	mkdir -p .cache && touch $@

build: .cache/npm ## Bundle the operator, the runtime and bin/kubectl-slipway
	@$(NODE)
	node hack/bundle.ts

generate: .cache/npm ## Write the CRDs, the RBAC, the API reference and the charts' copies
	@$(NODE)
	hack/generate

verify: .cache/npm ## Regenerate and diff; lint, types, import directions, dead code
	@$(NODE)
	hack/verify

unit: .cache/npm ## Pure parts and the runtime, no cluster
	@$(NODE)
	$(SUITE) unit,unit-shared --maxWorkers=100%

integration: .cache/npm ## The machinery, CRDs and controllers against a real kube-apiserver
	@$(NODE)
	$(SUITE) integration

images: .cache/npm ## Build the container images from the Dockerfiles
	@$(NODE)
	hack/images

cluster: .cache/npm ## Bring the local cluster up (idempotent)
	@$(NODE)
	hack/cluster up

cluster-down: .cache/npm ## Take the local cluster down
	@$(NODE)
	hack/cluster down

e2e: .cache/npm build ## The whole on the local cluster; KEEP=1 leaves it up
	@$(NODE)
	trap '[ -n "$${KEEP:-}" ] || hack/cluster down' EXIT
	$(SUITE) e2e,e2e-alone

e2e-judgement: .cache/npm build ## The long forms: twenty faults, late labels, deaths of the operator and the gateway, twenty rollouts at once
	@$(NODE)
	trap '[ -n "$${KEEP:-}" ] || hack/cluster down' EXIT
	$(VITEST) --project e2e-long --outputFile.json=.cache/e2e-judgement.json

container-test: .cache/npm ## The image of the model server, sealed, in a Docker engine (one of its own where none answers)
	@$(NODE)
	$(SUITE) container

cuda-test: .cache/npm ## The CUDA image where there is no GPU (fetches CUDA once, 1.6 GB; wants 12 GB of disk)
	@$(NODE)
	$(VITEST) --project cuda --outputFile.json=.cache/cuda.json

stores-test: .cache/npm ## Artifacts in real servers of S3 and OCI, cut off, killed, full and refused
	@$(NODE)
	$(SUITE) stores

kueue-test: .cache/npm ## Queued training under the real Kueue (built by Go once, which takes long; kept)
	@$(NODE)
	$(VITEST) --project kueue --outputFile.json=.cache/kueue.json

conformance: .cache/npm build ## The model server against real clients: tritonclient, kserve, mlserver's types
	@$(NODE)
	node e2e/conformance/main.ts $(RESULTS)/conformance.json

pytorch-test: .cache/npm ## Real PyTorch under torchrun, and Hugging Face's Trainer, in processes of this machine (fetches torch once, 540 MB)
	@$(NODE)
	$(VITEST) --project pytorch --outputFile.json=$(RESULTS)/pytorch.json

e2e-pytorch: .cache/npm build ## The PyTorch sample in two pods of the local cluster, a rank killed in mid-run; KEEP=1 leaves it up
	@$(NODE)
	trap '[ -n "$${KEEP:-}" ] || hack/cluster down' EXIT
	hack/cluster up
	hack/cluster load "$$(hack/images pytorch)"
	$(VITEST) --project e2e-pytorch --outputFile.json=.cache/e2e-pytorch.json

test: ## All tests: verify, unit, stores-test, conformance, container-test, integration, e2e
	@rm -rf $(RESULTS) .cache/second-tries.log
	$(MAKE) verify
	$(MAKE) unit
	$(MAKE) stores-test
	$(MAKE) conformance
	$(MAKE) container-test
	$(MAKE) integration
	$(MAKE) e2e
	$(NODE)
	node hack/test-summary.ts $(RESULTS)

demo: .cache/npm build ## The main job on the local cluster; KEEP=1 leaves it up
	@$(NODE)
	node e2e/demo/main.ts $(if $(KEEP),--keep)

serve: .cache/npm ## Serve the models of a folder: make serve MODELS=<folder or .onnx file>
	@$(NODE)
	exec node runtime/server/main.ts $(MODELS)

package: .cache/npm ## The model server as an npm package, dist/slipway-server-<version>.tgz
	@$(NODE)
	node hack/package.ts

soak: .cache/npm ## 100 reloads and 10^6 requests against one server: memory stays flat (10 min at most)
	@$(NODE)
	node runtime/soak/main.ts

bench: .cache/npm build ## The platform's speed and memory: prints tables, writes .bench/*.json
	@$(NODE)
	node hack/bench.ts

bench-shadow: .cache/npm ## What copying every request to a candidate that hangs costs those who wait (MINUTES=5)
	@$(NODE)
	node runtime/bench/shadow.ts $(or $(MINUTES),5)
	node hack/bench.ts none

bench-rollout: .cache/npm build ## A fault under Slipway and Argo Rollouts side by side; failed requests of promotions (ROUNDS=10; KEEP=1 leaves it up)
	@$(NODE)
	trap '[ -n "$${KEEP:-}" ] || hack/cluster down' EXIT
	ROUNDS=$(or $(ROUNDS),10) node hack/bench.ts e2e/bench/rollout.ts

bench-training: .cache/npm ## A thousand TrainingJobs beside as many plain Jobs on a real scheduler; publishing beside cp; first steps, where a cluster is up (JOBS=200: a quick look)
	@$(NODE)
	JOBS=$(or $(JOBS),1000) node hack/bench.ts e2e/bench/training.ts

simulate: .cache/npm ## Simulated rollouts by the thousand, a month of drift, half a million acts on the rules, the intervals of gates: docs/statistics.md, docs/drift.md, docs/gates.md (RUNS=200 DAYS=3 SERVICES=800: a quick look)
	@$(NODE)
	node hack/simulation/main.ts $(RUNS)
	node hack/simulation/drift.ts $(DAYS)
	node hack/simulation/gates.ts $(RUNS)
	SLIPWAY_PROPERTY_SEED=$(or $(SEED),$$RANDOM) SLIPWAY_PROPERTY_RUNS=$(or $(SERVICES),20000) vitest run --project unit-shared operator/src/domain/rollout/model.test.ts

# Beside its peers, from a folder of their environments (about 3 GB, kept). ROUNDS=1 SECONDS_A_CELL=3 for a quick look.
RIG := runtime/bench/rig
RIG_WORK = $${XDG_CACHE_HOME:-$$HOME/.cache}/slipway/bench-runtime
RIG_RUN = "$(RIG_WORK)/venv-fastapi/bin/python" $(RIG)/run.py --work "$(RIG_WORK)" --seconds $(or $(SECONDS_A_CELL),10) --wait $(or $(WAIT),20) --tries $(or $(TRIES),3)

bench-runtime: .cache/npm build ## The model server beside its peers: ratios, bars, docs/numbers.md (about an hour)
	@$(NODE)
	bash $(RIG)/setup.sh "$(RIG_WORK)"
	mkdir -p .bench && rm -f .bench/runtime.jsonl
	export PYTHONDONTWRITEBYTECODE=1
	$(RIG_RUN) --rounds $(or $(ROUNDS),2) --pin --peers slipway,fastapi-tuned,pytriton --models mlp --out .bench/runtime.jsonl >/dev/null
	$(RIG_RUN) --rounds $(or $(ROUNDS),2) --raw --ours --out .bench/runtime.jsonl --summary .bench/runtime.json
	node hack/bench.ts none

bench-raw: .cache/npm build ## How much of bare onnxruntime's speed the server keeps with a model that is all compute: by turns, with engine.perCore and without (4 minutes, and the setting up of bench-runtime)
	@$(NODE)
	bash $(RIG)/setup.sh "$(RIG_WORK)"
	mkdir -p .bench
	export PYTHONDONTWRITEBYTECODE=1
	"$(RIG_WORK)/venv-fastapi/bin/python" $(RIG)/beside_raw.py --work "$(RIG_WORK)" --rounds $(or $(ROUNDS),5) --seconds $(or $(SECONDS_A_CELL),6) \
	  --settings '{}' --settings '{"engine":{"perCore":"Never"}}' --json .bench/runtime-raw.json
	node hack/bench.ts none

clean: ## Remove what the targets made here (not the shared cache of binaries)
	rm -rf dist bin .cache .bench
