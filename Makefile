# `make demo` and `make test` do everything on a fresh machine: each makes the environment it needs.
PYTHON ?= python3
VENV ?= .venv
# The runtime's extra: the GPU wheel with NVIDIA's libraries where a driver answers, otherwise the CPU wheel.
RUNTIME ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(RUNTIME)

.DEFAULT_GOAL := help
.PHONY: help demo test test-services test-others test-fast test-durations golden site contract contract-image mutants test-torch test-tensorflow test-mlflow test-observability test-helm \
        tensorflow-fixtures check evaluate spellings calibrate proto sync-client docs screenshots bench bench-gpu gpu-check bench-service bench-large \
        chaos suites failover upgrade fuzz fuzz-graphs endurance throughput compose-test lock sbom audit-dependencies test-lowest clean

help:
	@echo "make demo          audits three subjects through the whole service, on this machine"
	@echo "make test          all tests: test-services and test-others side by side"
	@echo "make test-fast     the tests to run while you edit: under 90 seconds on two cores"
	@echo "make test-durations  all tests, and which took longest: what tests/support/slow.py is chosen from"
	@echo "make test-torch    the tests that need PyTorch, in an environment of their own"
	@echo "make test-tensorflow  the tests that need TensorFlow, in an environment of their own"
	@echo "make test-mlflow   the tests that need MLflow's server, in an environment of their own"
	@echo "make test-observability  alerts and dashboard by a real Prometheus: needs Debian's package prometheus"
	@echo "make test-helm     renders the Helm chart and checks it by Kubernetes's schemas, in an environment of its own"
	@echo "make tensorflow-fixtures  exports the TensorFlow models in tests/fixtures again"
	@echo "make check         ruff, mypy --strict, import-linter, sizes, buf, generated code and docs up to date"
	@echo "make contract      buf lint, and buf breaking against the contract of the last release"
	@echo "make contract-image  takes today's contract for that of the last release: a step of a release"
	@echo "make golden        writes the reports in tests/golden again, after an intended change of a format"
	@echo "make mutants       changes judge, stats and formats, and counts what no test notices, into benchmarks/mutants.md"
	@echo "make site          builds the documentation as a site, into dist/site"
	@echo "make evaluate      audits the labelled models of CORPUS=DIR, and says where audits and labels disagree"
	@echo "make spellings     draws COUNT graphs that spell dropout by a grammar (of SEED), and says where audits are wrong"
	@echo "make calibrate     false alarms, power and coverage by simulation, into benchmarks/calibration.md (half an hour)"
	@echo "make proto         regenerates the code beside the .proto"
	@echo "make sync-client   generates the synchronous client from the asynchronous one"
	@echo "make docs          writes docs/api.md, the README's settings and Grafana's dashboard"
	@echo "make screenshots   takes the pictures of reports in docs/pictures, by Chromium"
	@echo "make bench         what an audit costs against loops of PyTorch and ONNX Runtime, into benchmarks/README.md"
	@echo "make bench-gpu     the same on an NVIDIA GPU, into benchmarks/speed-gpu.md, in under four minutes"
	@echo "make gpu-check     whether an NVIDIA GPU says what the CPU says, in under three minutes"
	@echo "make bench-service what submitting, watching, listing and uploading cost, into benchmarks/service.md"
	@echo "make bench-large   time and memory of audits of large models, into benchmarks/large.md (a quarter of an hour)"
	@echo "make chaos         kills, stops and cuts everything while clients submit, into benchmarks/chaos.md (half an hour)"
	@echo "make suites        suites on schedules, two beats of which one is killed, a run of 5,000, into benchmarks/suites.md (half an hour)"
	@echo "make failover      kills Redis's master under load, a dozen times, into benchmarks/failover.md (five minutes)"
	@echo "make upgrade       replaces servers and workers one by one by a newer version, under load (a minute)"
	@echo "make fuzz          feeds 250,000 mutated models, files and messages to loader and server, into benchmarks/fuzz.md"
	@echo "make fuzz-graphs   audits 20,000 valid graphs that nobody would write, into benchmarks/fuzz-graphs.md (an hour)"
	@echo "make endurance     a worker's memory over 10,000 audits of 50 models, into benchmarks/endurance.md"
	@echo "make throughput    audits a second, against Celery's own empty tasks, into benchmarks/throughput.md"
	@echo "make test-lowest   tests with the lowest versions of everything that pyproject.toml allows"
	@echo "make lock          renews what the images install: versions and hashes, in deploy/locked"
	@echo "make sbom          a CycloneDX list of what the images hold, into dist"
	@echo "make audit-dependencies  asks for known vulnerabilities of what the images install"
	@echo "make compose-test  builds and runs docker-compose.yml with a real engine"

# Made again when pyproject.toml has changed, and only then: the script compares its content.
$(STAMP): pyproject.toml
	@PYTHON="$(PYTHON)" tools/environment.sh $(VENV) $(RUNTIME)

demo: $(STAMP)
	$(BIN)/dropaudit demo

# Two processes side by side, each with one core for the most part: what starts services, and all the rest.
SERVICE_TESTS := tests/server tests/store tests/system tests/worker
test: $(STAMP)
	@mkdir -p .cache; $(MAKE) --no-print-directory test-services >.cache/test-services.log 2>&1 & services=$$!; \
	$(MAKE) --no-print-directory test-others; others=$$?; \
	wait $$services; status=$$?; cat .cache/test-services.log; exit $$((others || status))

test-services: $(STAMP)
	$(BIN)/python -m pytest -p no:cacheprovider $(SERVICE_TESTS)

test-others: $(STAMP)
	$(BIN)/python -m pytest -p no:cacheprovider $(addprefix --ignore=,$(SERVICE_TESTS))

# Without those that tests/support/slow.py names, or that are marked.
test-fast: $(STAMP)
	$(BIN)/python -m pytest -m "not slow and not system"

test-durations: $(STAMP)
	$(BIN)/python -m pytest --durations=100 --durations-min=0.5

golden: $(STAMP)
	$(BIN)/python -m pytest tests/golden --golden-renew

# PyTorch's tests have an environment of their own, so that everything else is known to need none.
TORCH ?= torch==2.13.0
# BERT, made from its configuration alone: nothing is downloaded.
TRANSFORMERS ?= transformers==4.57.6
TORCH_STAMP := .venv-torch/.installed-$(RUNTIME)

$(TORCH_STAMP): pyproject.toml
	@PYTHON="$(PYTHON)" tools/environment.sh .venv-torch $(RUNTIME) dev,models-torch,bench "$(TORCH)" "$(TRANSFORMERS)"

test-torch: $(TORCH_STAMP)
	.venv-torch/bin/python -m pytest tests/torch

# MLflow's server brings much that nobody else needs: an environment of its own for the tests of its registry.
MLFLOW ?= mlflow==3.17.2
MLFLOW_STAMP := .venv-mlflow/.installed-$(RUNTIME)

$(MLFLOW_STAMP): pyproject.toml
	@PYTHON="$(PYTHON)" tools/environment.sh .venv-mlflow $(RUNTIME) dev,mlflow "$(MLFLOW)"

test-mlflow: $(MLFLOW_STAMP)
	.venv-mlflow/bin/python -m pytest tests/mlflow

# Prometheus and its promtool are not Python packages, and are not installed here.
test-observability: $(STAMP)
	@for each in prometheus promtool; do command -v $$each >/dev/null || { \
	  echo "make test-observability needs $$each: apt-get install prometheus, and stop the service that it starts" >&2; \
	  exit 2; }; done
	$(BIN)/python -m pytest tests/observability

# Helm's own library and Kubernetes's schemas: a hundred megabytes that nobody else needs.
HELM ?= helm-python-sdk==0.2.2 kubernetes-validate==1.37.0
HELM_STAMP := .venv-helm/.installed

$(HELM_STAMP): pyproject.toml
	$(PYTHON) -m venv --clear .venv-helm
	.venv-helm/bin/python -m pip install --quiet --disable-pip-version-check $(HELM) jsonschema pytest pyyaml
	@touch $@

test-helm: $(HELM_STAMP)
	.venv-helm/bin/python -m pytest -c /dev/null --rootdir=. --confcutdir=tests/helm -p no:cacheprovider tests/helm

# TensorFlow wants another protobuf than the service: an environment of its own, to remake the kept exports with.
TENSORFLOW ?= tensorflow-cpu==2.21.0 tf-keras==2.21.0 tf2onnx==1.17.0
TENSORFLOW_STAMP := .venv-tensorflow/.installed

$(TENSORFLOW_STAMP): pyproject.toml
	$(PYTHON) -m venv --clear .venv-tensorflow
	.venv-tensorflow/bin/python -m pip install --quiet --disable-pip-version-check -e . $(TENSORFLOW) onnxruntime pytest
	@touch $@

# pytest's settings are for an environment with the project's own plugins, which this one has not.
test-tensorflow: $(TENSORFLOW_STAMP)
	PYTHONPATH=tests .venv-tensorflow/bin/python -m pytest -c /dev/null --rootdir=. --confcutdir=tests/tensorflow \
	  -p no:cacheprovider tests/tensorflow

tensorflow-fixtures: $(TENSORFLOW_STAMP)
	.venv-tensorflow/bin/python -m dropaudit_models.tensorflow --labels -o tests/fixtures/tensorflow

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_files.py
	$(BIN)/python tools/check_sizes.py
	tools/contract.sh $(BIN)/buf
	$(BIN)/python proto/generate.py --check
	$(BIN)/python docs/generate_api.py --check
	$(BIN)/python docs/generate_settings.py --check
	$(BIN)/python deploy/grafana/generate_dashboards.py --check
	$(BIN)/python tools/sync_client.py --check

# A tenth of the mutants for each digit: a quarter of an hour on two cores. DIGITS= runs all of them.
DIGITS ?= 3
mutants: $(STAMP)
	nice $(BIN)/python tools/mutants.py --digits "$(DIGITS)" --output benchmarks

contract: $(STAMP)
	tools/contract.sh $(BIN)/buf

contract-image: $(STAMP)
	$(BIN)/buf build --exclude-source-info -o proto/released.binpb

site: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

evaluate: $(STAMP)
	@test -n "$(CORPUS)" || { echo "make evaluate needs CORPUS=DIR, a folder with a labels.json" >&2; exit 2; }
	$(BIN)/python -m dropaudit_evaluation "$(CORPUS)"

COUNT ?= 5000
SEED ?= 0
spellings: $(STAMP)
	$(BIN)/python -m dropaudit_evaluation.spellings --count $(COUNT) --seed $(SEED) --output .cache/spellings-$(SEED)

calibrate: $(STAMP)
	$(BIN)/python -m dropaudit_evaluation.calibration --output benchmarks

proto: $(STAMP)
	$(BIN)/python proto/generate.py

sync-client: $(STAMP)
	$(BIN)/python tools/sync_client.py

docs: $(STAMP)
	$(BIN)/python docs/generate_api.py
	$(BIN)/python docs/generate_settings.py
	$(BIN)/python deploy/grafana/generate_dashboards.py

# Needs Chromium and its driver: apt-get install chromium chromium-driver.
screenshots: $(STAMP)
	PYTHONPATH=tests $(BIN)/python docs/take_pictures.py

# The engine is the one that docker reaches; where none answers, COMPOSE_LAB names a script that starts one (up, env, down).
COMPOSE_LAB ?= $(wildcard ../shared/tools/compose-lab.sh)
# COMPOSE_LAB may name a script that starts an engine: it must not see that name as a setting of its own.
compose-test: $(STAMP)
	@if docker info >/dev/null 2>&1; then PYTHONPATH=deploy/testing $(BIN)/python -m compose_test; \
	elif [ -n "$(COMPOSE_LAB)" ]; then unset COMPOSE_LAB; \
	  $(COMPOSE_LAB) up && eval "$$($(COMPOSE_LAB) env)" && PYTHONPATH=deploy/testing $(BIN)/python -m compose_test; \
	  status=$$?; $(COMPOSE_LAB) down; exit $$status; \
	else echo "make compose-test needs a Docker engine, and none answers" >&2; exit 2; fi

# What the images install: names, versions and hashes, for Linux on x86-64 and 64-bit Arm. Where from is the machine's own
# matter, and left out.
UV ?= uv==0.13.9
LOCK_BIN := .venv-lock/bin
$(LOCK_BIN)/uv:
	$(PYTHON) -m venv --clear .venv-lock
	$(LOCK_BIN)/python -m pip install --quiet --disable-pip-version-check "$(UV)" cyclonedx-bom pip-audit

LOCK := $(LOCK_BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
  --no-emit-index-url --no-emit-find-links --upgrade
# The server reads no graph, and has no prompt: neither onnx, nor what only onnx and Celery's shell need.
SERVER_WITHOUT := $(addprefix --no-emit-package ,onnx ml-dtypes click-repl prompt-toolkit wcwidth)
lock: $(LOCK_BIN)/uv
	$(LOCK) deploy/locked/build.in -o deploy/locked/build.txt
	$(LOCK) pyproject.toml --extra server --extra web --extra s3 --extra tracing $(SERVER_WITHOUT) \
	  -o deploy/locked/server.txt
	$(LOCK) pyproject.toml --extra worker --extra s3 --extra tracing --extra mlflow --extra cpu -o deploy/locked/worker-cpu.txt
	$(LOCK) pyproject.toml --extra worker --extra s3 --extra tracing --extra mlflow --extra gpu -o deploy/locked/worker-gpu.txt

LOCKED := server worker-cpu worker-gpu
sbom: $(LOCK_BIN)/uv
	@mkdir -p dist
	for each in $(LOCKED); do \
	  $(LOCK_BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
	    -o dist/sbom-$$each.cdx.json deploy/locked/$$each.txt || exit 1; done

# Known vulnerabilities of what the images install; it asks a database on the internet.
audit-dependencies: $(LOCK_BIN)/uv
	for each in $(LOCKED); do \
	  $(LOCK_BIN)/pip-audit --require-hashes --disable-pip -r deploy/locked/$$each.txt || exit 1; done

# The lowest versions that pyproject.toml allows, in an environment of their own, and the tests that would notice.
LOWEST_TESTS ?= tests/core/test_artifacts.py tests/core/graph/reading/test_malformed.py tests/core/test_recorded.py tests/store \
  tests/server tests/worker/queue/test_beat.py tests/worker/runs/test_ticking.py tests/worker/making/test_maker.py tests/client \
  tests/system/test_service.py tests/system/test_s3.py tests/system/test_telemetry.py
test-lowest: $(LOCK_BIN)/uv
	$(LOCK_BIN)/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 --no-annotate --no-header \
	  --extra dev --extra gpu-bare pyproject.toml -o .venv-lock/lowest.txt
	$(LOCK_BIN)/uv venv --quiet --clear --python "$(PYTHON)" .venv-lowest
	$(LOCK_BIN)/uv pip sync --quiet --python .venv-lowest .venv-lock/lowest.txt
	$(LOCK_BIN)/uv pip install --quiet --python .venv-lowest --no-deps -e .
	.venv-lowest/bin/python -m pytest $(LOWEST_TESTS)

bench: $(TORCH_STAMP)
	.venv-torch/bin/python benchmarks/speed.py

# On a machine with an NVIDIA GPU, where .venv-torch holds a PyTorch with CUDA: TORCH=... names another.
bench-gpu: $(TORCH_STAMP)
	.venv-torch/bin/python benchmarks/gpu_speed.py

# CORPORA are labelled folders, separated by commas; what is not there is left out.
CORPORA ?= ../shared/corpus,../shared/field
gpu-check: $(STAMP)
	$(BIN)/python benchmarks/gpu_check.py --corpora "$(CORPORA)"

bench-service: $(STAMP)
	$(BIN)/python benchmarks/service.py

bench-large: $(STAMP)
	$(BIN)/python benchmarks/large.py

chaos: $(STAMP)
	$(BIN)/python -m dropaudit_chaos --output benchmarks

suites: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.suites --output benchmarks

failover: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.failover --output benchmarks

upgrade: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.upgrade

fuzz-graphs: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.fuzzing.graphs --output benchmarks

fuzz: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.fuzzing.mutate --output benchmarks

endurance: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.load.endurance --output benchmarks

throughput: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.load.throughput --output benchmarks

clean:
	rm -rf $(VENV) .venv-torch .venv-helm .venv-tensorflow .venv-lock .venv-lowest .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
