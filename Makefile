# headrace: `make sim` runs the main job, `make test` the tests; both set up .venv first.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
STAMP  := $(VENV)/.installed

# file.py:function returning a pair of torch / Brevitas module and example input, or a network; or an .onnx file or a
# saved network NAME.json
MODEL  ?= examples/digits/model.py:trained

# a board's name or the user's own .toml file
BOARD  ?= zcu104

# whose cells the resource estimator is fitted to: xcup, xc7 (Zynq-7000), ecp5, or several of them
FAMILY ?= xcup

.DEFAULT_GOAL := help
.PHONY: help setup sim bitstream test test-full lint docs prove mutate coverage fuzz bench bench-scale bench-quant fit-estimator clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv from the pinned versions

$(STAMP): pyproject.toml constraints.txt
	@echo "setting up $(VENV): pinned packages, about 2 GB with PyTorch and Brevitas; some minutes, once"
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

sim: $(STAMP) ## train, build both back ends, verify, simulate cycle by cycle (MODEL=file.py:function for your own)
	@echo "training if needed, building both back ends, simulating cycle by cycle: two to five minutes, result in build/sim"
	@$(PY) examples/simulate.py "$(MODEL)"

bitstream: $(STAMP) ## build MODEL for BOARD and run Vitis HLS / Vivado on it (make bitstream BOARD=zcu104)
	$(VENV)/bin/headrace build "$(MODEL)" --board "$(BOARD)" --out build/$(basename $(notdir $(BOARD)))
	$(VENV)/bin/headrace bitstream build/$(basename $(notdir $(BOARD))) --board "$(BOARD)"

test: $(STAMP) ## the tests
	$(PY) -m pytest -n 2 --dist loadfile -m "not slow" tests

test-full: $(STAMP) ## the tests and the full products of the layer battery
	$(PY) -m pytest -n 2 --dist loadfile tests

lint: $(STAMP) ## ruff, mypy --strict and Verilator's lint of every module
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(PY) -m pytest -q tests/rtl/test_lint.py

docs: $(STAMP) ## write the documentation to build/docs, without a network
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet

bench: $(STAMP) ## long benchmarks
	$(PY) -m benchmarks

fit-estimator: $(STAMP) ## synthesize the sweep of layers and fit the estimator to it, 15 CPU minutes (FAMILY=xc7: 8, ecp5: 3)
	$(PY) -m benchmarks.estimator --family $(FAMILY)

bench-scale: $(STAMP) ## large networks, planned and built: CPU seconds and memory; ROWS="model.onnx:zcu104:444"
	$(PY) -m benchmarks.scale $(ROWS)
	$(PY) -m benchmarks.scale --build $(ROWS)

prove: $(STAMP) ## prove layers that move and gate words for all words, stalls and states at power-up
	$(PY) -m benchmarks.prove

mutate: $(STAMP) ## one small change at a time in every area, and the tests that should notice it (60 minutes)
	$(PY) -m benchmarks.mutate

coverage: $(STAMP) ## lines, branches and signals of the SystemVerilog that the tests of the layers reach
	$(PY) -m benchmarks.coverage

fuzz: $(STAMP) ## damaged files of every kind, guided by coverage (10 minutes a kind; needs Linux)
	$(PY) -m benchmarks.fuzz

bench-quant: $(STAMP) ## the published trends of the quantization methods
	$(PY) -m benchmarks.quantization

clean: ## remove everything that can be made again
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
