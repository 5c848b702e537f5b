# Two commands: `make demo` plays the main job in the lab, `make test` runs the checks. See README.md.
SHELL := /bin/bash
PYTHON ?= python3
PY := .venv/bin/python
STAMP := .venv/.installed
# Images of Python set it: each verb and each process of the lab would then compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check lock bench programs setup prove picture bundle barman
.DEFAULT_GOAL := help

help:
	@echo "make demo   play the whole job in the simulated house"
	@echo "make test   run the checks (builds the programs they need first)"
	@echo "make check  lint, types, and the tests of what you changed (make check BASE=main: since then)"
	@echo "make setup  the environment and what a real run needs, nothing of the lab"
	@echo "make barman what the lab's real databases need besides PostgreSQL"
	@echo "make bench  run the benchmarks"
	@echo "make bundle one archive with all of it, for a machine that is dark and offline"
	@echo "make picture  the pictures in the README, of real runs in the lab"
	@echo "make prove  what takes hours: every crash, every damage, ten kills; says when each was last green"
	@echo "make lock   resolve requirements.in into requirements.lock again"

$(STAMP): requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is needed (Python 3.11 or newer) and was not found on PATH."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Python 3.11 or newer is needed; {sys.executable} is {sys.version.split()[0]}. Try: make PYTHON=python3.12")'
	@command -v git >/dev/null || { echo "git is needed and was not found on PATH."; exit 1; }
	@command -v ssh >/dev/null || { echo "OpenSSH (ssh) is needed and was not found on PATH."; exit 1; }
	@echo "Making the virtual environment .venv (about half a minute the first time) ..."
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is needed (Debian: apt install python3-venv)."; exit 1; }
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

# Programs need Go; without it only what is modelled can run, and says so.
programs: $(STAMP)
	@if command -v go >/dev/null; then $(PY) -m tools.build; \
	 else echo "Go was not found on PATH: the real programs cannot be built; only the modelled demo can run (make demo)."; fi

demo: $(STAMP)
	@if ! command -v go >/dev/null; then \
	   echo "Go was not found on PATH, so the programs of the lab cannot be built. Playing the modelled demo instead."; \
	   exec .venv/bin/invoke lab.demo --modelled; \
	 fi; \
	 if ! $(PY) -m tools.build --ready; then \
	   echo "The lab's programs are not built yet. Here is the modelled demo first; then they are built, then the full demo plays."; \
	   .venv/bin/invoke lab.demo --modelled || exit $$?; \
	   $(PY) -m tools.build || exit $$?; \
	 fi; \
	 exec .venv/bin/invoke lab.demo

# Parts side by side: whole houses of the lab and the other programs mostly wait; what only computes goes in two, in each one process
# after the other, for more than a small machine's cores take the caches from each other, which was a quarter of the work.
# The houses, and after them what is left of the programs, are shown as they run; the others when all are done.
# Modules are compiled before: in a fresh checkout each part would compile all of them, at the same time.
# `set -m`: without it the shell starts a background job deaf to SIGINT, and so would be the programs that its tests interrupt.
# Each part is a group of processes by it: an end has to reach the tests below the shell, that they end the houses they started.
PORTS := tests/adapters tests/contract
INPUTS := tests/fuzz tests/house tests/houses
VERBS := tests/console tests/scenario tests/recovery tests/rehearsal
TOOLS := tests/tools
SOURCES := engine house adapters talos cluster bootstrap recovery rehearsal console lab tools
PROGRAMS := programs and not houses and not long
LOGS := .pytest_cache/parts
TIMED := ^[0-9.]+s (setup|call|teardown) 
test: programs
	@$(PY) -m tools.build --ready || { echo "The tests read repositories and start houses with these programs: they need Go 1.26 or newer on PATH."; exit 1; }
	@.venv/bin/ruff check .
	@$(PY) -m compileall -q $(SOURCES)
	@mkdir -p $(LOGS); rm -f $(LOGS)/*; \
	 set -m; names=(); pids=(); \
	 run() { $(PY) -u -m pytest --durations=20 --durations-min=0.5 "$$@"; }; \
	 turns() { local mark=$$1 paths code worst=0; for paths in "$${@:2}"; do \
	   run -m "$$mark" $$paths; code=$$?; if [ $$code -eq 2 ]; then return 2; fi; \
	   worst=$$((code > worst ? code : worst)); done; return $$worst; }; \
	 part() { "$${@:2}" > "$(LOGS)/$$1" 2>&1 & names+=("$$1"); pids+=($$!); }; \
	 part types .venv/bin/mypy; \
	 part light turns "not programs" tests/crash "$(VERBS)" $(TOOLS); \
	 part inputs turns "not programs" "$(INPUTS)" "$(patsubst %,--ignore=%,tests/crash $(INPUTS) $(VERBS) $(TOOLS))"; \
	 part programs turns "$(PROGRAMS)" "$(PORTS)"; \
	 end() { kill -INT "$${pids[@]/#/-}" 2> /dev/null; }; trap end INT TERM; \
	 echo "Tests in houses of the lab, and of its programs, are shown here; the others run beside them and are shown after them."; \
	 run -m "houses and not long" 2>&1 | tee -i $(LOGS)/shown; code=$${PIPESTATUS[0]}; \
	 if [ $$code -lt 2 ]; then \
	   run -m "$(PROGRAMS)" $(PORTS:%=--ignore=%) 2>&1 | tee -i $(LOGS)/shown-2; second=$${PIPESTATUS[0]}; \
	   code=$$((second > code ? second : code)); \
	 fi; \
	 failed=(); if [ $$code -ne 0 ]; then failed+=("the ones above, shown first"); fi; \
	 if [ $$code -eq 2 ]; then end; fi; \
	 for n in "$${!pids[@]}"; do \
	   wait "$${pids[n]}"; part=$$?; code=$$((code + part)); \
	   echo "The part $${names[n]}:"; grep -vE "$(TIMED)|slowest [0-9]* durations" "$(LOGS)/$${names[n]}"; \
	   if [ $$part -ne 0 ]; then failed+=("$${names[n]}"); fi; \
	 done; \
	 echo "The twenty slowest of all parts:"; grep -hE "$(TIMED)" $(LOGS)/* | sort -rn | head -20; \
	 for part in "$${failed[@]}"; do echo "A part failed: $$part."; done; \
	 grep -hE '^(FAILED|ERROR) |: error: ' $(LOGS)/* | cut -c1-300; \
	 exit $$code

# Quick: what starts real programs is left to `make test`.
BASE ?= HEAD
check: $(STAMP)
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@$(PY) -m pytest -m "not programs" $$($(PY) -m tests.changed $(BASE))

setup: $(STAMP)
	@.venv/bin/invoke tools.build --run

bench: $(STAMP)
	@$(PY) -m bench.engine; engine=$$?; $(PY) -m bench.command_line; line=$$?; $(PY) -m bench.storage || line=$$?; \
	 $(PY) -m bench.loading || line=$$?; \
	 if $(PY) -m tools.build --ready; then $(PY) -m bench.bootstrap; bootstrap=$$?; \
	   for name in bench.looks bench.audit bench.proof bench.drill; do $(PY) -m $$name || bootstrap=$$?; done; \
	 else echo "The lab's programs are not built: what needs them is not measured (make programs builds them)."; bootstrap=0; fi; \
	 exit $$((engine + line + bootstrap))

# What takes too long for every change. `make prove ONLY="matrices journal"` runs these alone; `$(PY) -m tests.prove --list` none.
prove: programs
	@$(PY) -m tests.prove $(ONLY)

lock: $(STAMP)
	@$(PY) -m venv .tools/lock && .tools/lock/bin/pip install --quiet uv
	@.tools/lock/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header requirements.in -o requirements.lock
	@.tools/lock/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --constraint requirements.lock \
	  requirements-messages.in -o requirements-messages.lock
	@.tools/lock/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --constraint requirements.lock \
	  requirements-barman.in -o requirements-barman.lock

# What the lab's real databases need besides PostgreSQL; psycopg2 is compiled (Debian: libpq-dev gcc). By the real path: the scripts in it name their Python by that.
barman: $(STAMP)
	@mkdir -p .tools && $(PY) -m venv "$$(realpath .tools)/barman"
	@.tools/barman/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-barman.lock

# The pictures in the README: the live view of a real run in the lab, and the page of a drill there, as Chromium shows it.
picture: programs
	@$(PY) -m console.demo.picture docs/bootstrap.svg
	@$(PY) -m tests.rehearsal.played
	@chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=840,1120 --screenshot=docs/drill.png \
	  "file://$(CURDIR)/.lab/one-node-drill/report.html" 2> /dev/null

# FOLDER=/media/stick writes it there.
bundle: $(STAMP)
	@$(PY) -m tools.build --run && $(PY) -m tools.bundle $(FOLDER)
