# One entry for each thing to do. STACK=name chooses the stack; YES=1 answers the question that destroy asks.
STACK ?=
YES ?=
PYTEST ?=
# The Python that .venv is made with; without a name, the newest that is here and not older than 3.11.
PYTHON ?=
LCDB = .venv/bin/lcdb
CHOICE = $(if $(STACK),--stack $(STACK))

.PHONY: up preview refresh destroy report test quick nightly check bench lock
.DELETE_ON_ERROR:

up: .venv/stamp
	@$(LCDB) up $(CHOICE)

preview: .venv/stamp
	@$(LCDB) preview $(CHOICE)

refresh: .venv/stamp
	@$(LCDB) refresh $(CHOICE)

destroy: .venv/stamp
	@$(LCDB) destroy $(CHOICE) $(if $(YES),--yes)

report: .venv/stamp
	@$(LCDB) report $(CHOICE)

PYTESTS = .venv/bin/python -m pytest --dist loadscope --no-loadscope-reorder

# Three processes, since they wait for servers most of the time. A file's tests on one kind of server stay in one of them.
test: .venv/stamp
	@$(PYTESTS) -n 3 $(PYTEST)

# For the loop while writing: unit tests, and the database tests on the embedded server.
quick: .venv/stamp
	@$(PYTESTS) -n 2 --quick $(or $(PYTEST),tests/database tests/unit)

# What takes too long for every change: the embedded and the Debian server also where the official one has answered; many
# more random schemas, each time other ones; backups killed 50 times at random moments, and of 5 million readings.
nightly: .venv/stamp
	@$(PYTESTS) -n 3 --every-server -k "embedded or debian" tests/database
	@LCDB_PAIRS=$(or $(LCDB_PAIRS),500) .venv/bin/python -m pytest --timeout 0 --every-server \
		tests/database/schema/many_schemas/test_random.py
	@LCDB_CRASHES=all .venv/bin/python -m pytest --timeout 0 --every-server tests/database/schema/execution/test_crash.py
	@LCDB_TEST_KILLS=$(or $(LCDB_TEST_KILLS),50) LCDB_TEST_ROWS=$(or $(LCDB_TEST_ROWS),5000000) .venv/bin/python -m pytest \
		--timeout 0 --every-server tests/database/backups/logical/test_faults.py tests/database/backups/logical/test_roundtrip.py \
		tests/database/backups/physical/test_physical_faults.py

check: .venv/stamp
	@.venv/bin/ruff check
	@.venv/bin/mypy --strict
	@.venv/bin/lint-imports --no-logo --no-cache
	@.venv/bin/vulture

bench: .venv/stamp
	@.venv/bin/python -m bench

# Pins and hashes everything in requirements.in, for every system and each Python from 3.11 on; and each set of
# requirements/, which is installed only where the machine lacks what it brings.
PIN = .venv/bin/uv pip compile -q --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock"

lock: .venv/stamp
	@.venv/bin/python -m pip install -q uv
	@$(PIN) -o requirements.txt requirements.in
	@for name in node postgresql s3; do $(PIN) -o requirements/$$name.txt requirements/$$name.in || exit; done

# Made once; again when what is pinned changes. Nothing is taken that the hashes do not name.
.venv/stamp: requirements.txt pyproject.toml
	@[ -x .venv/bin/pip ] || { \
		for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3) none; do \
			"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; done; \
		[ "$$python" != none ] || { echo "Python 3.11 or later is needed, and none is on the PATH; install one" >&2; exit 1; }; \
		"$$python" -m venv .venv || { rm -rf .venv; \
			echo "$$python cannot make environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; }
	@echo "installing what requirements.txt pins (once)"
	@.venv/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@.venv/bin/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
