# `make demo` and `make test` do everything on a fresh machine: each makes the environment it needs.
PYTHON ?= python3
VENV ?= .venv
# The runtime's extra: the GPU wheel with NVIDIA's libraries where a driver answers, otherwise the CPU wheel.
RUNTIME ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(RUNTIME)

.DEFAULT_GOAL := help
.PHONY: help demo test test-torch test-tensorflow tensorflow-fixtures check evaluate spellings calibrate proto docs bench bench-gpu \
        bench-service chaos fuzz endurance throughput compose-test clean

help:
	@echo "make demo          audits three subjects through the whole service, on this machine"
	@echo "make test          all tests"
	@echo "make test-torch    the tests that need PyTorch, in an environment of their own"
	@echo "make test-tensorflow  the tests that need TensorFlow, in an environment of their own"
	@echo "make tensorflow-fixtures  exports the TensorFlow models in tests/fixtures again"
	@echo "make check         ruff, mypy --strict, import-linter, generated code and docs up to date"
	@echo "make evaluate      audits the labelled models of CORPUS=DIR, and says where audits and labels disagree"
	@echo "make spellings     draws COUNT graphs that spell dropout by a grammar (of SEED), and says where audits are wrong"
	@echo "make calibrate     false alarms, power and coverage by simulation, into benchmarks/calibration.md (half an hour)"
	@echo "make proto         regenerates the code beside the .proto"
	@echo "make docs          writes docs/api.md from the contract"
	@echo "make bench         what an audit costs against loops of PyTorch and ONNX Runtime, into benchmarks/README.md"
	@echo "make bench-gpu     the same on an NVIDIA GPU, into benchmarks/speed-gpu.md"
	@echo "make bench-service what submitting, watching, listing and uploading cost, into benchmarks/service.md"
	@echo "make chaos         kills, stops and cuts everything while clients submit, into benchmarks/chaos.md (half an hour)"
	@echo "make fuzz          feeds 150,000 mutated models and messages to loader and server, into benchmarks/fuzz.md"
	@echo "make endurance     a worker's memory over 10,000 audits of 50 models, into benchmarks/endurance.md"
	@echo "make throughput    audits a second, against Celery's own empty tasks, into benchmarks/throughput.md"
	@echo "make compose-test  builds and runs docker-compose.yml with a real engine"

$(STAMP): pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev,$(RUNTIME)]"
	@touch $@

demo: $(STAMP)
	$(BIN)/dropaudit demo

test: $(STAMP)
	$(BIN)/python -m pytest

# PyTorch's tests have an environment of their own, so that everything else is known to need none.
TORCH ?= torch==2.13.0
TORCH_STAMP := .venv-torch/.installed-$(RUNTIME)

$(TORCH_STAMP): pyproject.toml
	$(PYTHON) -m venv --clear .venv-torch
	.venv-torch/bin/python -m pip install --quiet --disable-pip-version-check -e ".[dev,$(RUNTIME),models-torch,bench]" "$(TORCH)"
	@touch $@

test-torch: $(TORCH_STAMP)
	.venv-torch/bin/python -m pytest tests/torch

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
	$(BIN)/python proto/generate.py --check
	$(BIN)/python docs/generate_api.py --check

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

docs: $(STAMP)
	$(BIN)/python docs/generate_api.py

# The engine is the one that docker reaches; where none answers, COMPOSE_LAB names a script that starts one (up, env, down).
COMPOSE_LAB ?= $(wildcard ../shared/tools/compose-lab.sh)
compose-test: $(STAMP)
	@if docker info >/dev/null 2>&1; then $(BIN)/python deploy/compose_test.py; \
	elif [ -n "$(COMPOSE_LAB)" ]; then \
	  $(COMPOSE_LAB) up && eval "$$($(COMPOSE_LAB) env)" && $(BIN)/python deploy/compose_test.py; \
	  status=$$?; $(COMPOSE_LAB) down; exit $$status; \
	else echo "make compose-test needs a Docker engine, and none answers" >&2; exit 2; fi

bench: $(TORCH_STAMP)
	.venv-torch/bin/python benchmarks/speed.py

# On a machine with an NVIDIA GPU, where .venv-torch holds a PyTorch with CUDA: TORCH=... names another.
bench-gpu: $(TORCH_STAMP)
	.venv-torch/bin/python benchmarks/speed.py --cuda

bench-service: $(STAMP)
	$(BIN)/python benchmarks/service.py

chaos: $(STAMP)
	$(BIN)/python -m dropaudit_chaos --output benchmarks

fuzz: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.fuzz --output benchmarks

endurance: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.endurance --output benchmarks

throughput: $(STAMP)
	$(BIN)/python -m dropaudit_chaos.throughput --output benchmarks

clean:
	rm -rf $(VENV) .venv-torch .venv-tensorflow .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
