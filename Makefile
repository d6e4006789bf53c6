# Needs make and a Python from 3.11 to 3.13; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	$(if $(UPGRADE),--upgrade) pyproject.toml

.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE # every process of a hub would compile it anew
ANSIBLE := .venv/ansible/.installed
.PHONY: help venv run test lint check audit fuzz bench fleet-scale image image-standin mutants release update-key bundle pictures test-device power-cut update-cut copy-cut backup-cut card-damage catalogue lock messages clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 13

venv: $(STAMP) ## make .venv with the locked dependencies (again only when the lock changes)

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Hikma Hub needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "This Python cannot make a virtual environment. On Debian: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(ANSIBLE): ansible/requirements.lock $(STAMP)
	$(PYTHON) -m venv .venv/ansible
	.venv/ansible/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r ansible/requirements.lock
	@touch $@

run: $(STAMP) ## start a hub with model phones and a stand-in cloud, at work in a made-up clinic
	$(BIN)/python -m tests.simulator

test: $(STAMP) $(ANSIBLE) ## run every test, the slow ones too; WORKERS=3 at once: many of them wait more than they compute
	$(BIN)/pytest -n $(or $(WORKERS),3) --dist loadscope --no-loadscope-reorder -m "not device"

lint: $(STAMP) ## style, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Memory for the tests' files, where there are 4 GB of it.
ROOMY = $(shell df --output=avail /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 4000000 {print "/dev/shm"}')
check: lint $(ANSIBLE) ## lint, and the quick tests, their files in memory: about a minute; what pre-commit calls
	PYTEST_DEBUG_TEMPROOT=$(ROOMY) $(BIN)/pytest -q -n 2 --dist worksteal --hypothesis-profile quick -m "not slow and not device"

mutants: $(STAMP) ## N changes of core, actions and store, drawn by SEED, that a quick test should notice
	$(BIN)/python -m tests.mutants --count $(or $(N),60) --seed $(or $(SEED),1)

bench: $(STAMP) ## measure speed and memory against the raw floor
	$(BIN)/python -m tests.bench

fleet-scale: $(STAMP) ## HUBS hubs tell DAYS days to a fleet server: what it costs them, and the server
	$(BIN)/python -m tests.fleet.scale --hubs $(or $(HUBS),1000) --days $(or $(DAYS),60)

image: $(STAMP) $(ANSIBLE) ## build the SD card's image: BASE=raspios (for clinics), debian (for tests), or a Raspberry Pi OS Lite image
	image/build "$(BASE)" "$(or $(OUT),build/hikma-hub.img)"

image-standin: $(STAMP) $(ANSIBLE) ## the same of a stand-in of Raspberry Pi OS, which is made here; what the device tests boot
	@mkdir -p build
	@[ -e build/update.cert.pem ] || image/update-key build/update
	$(BIN)/python -m tests.image.raspios build/raspios.img
	UPDATE_CERT=build/update.cert.pem image/build build/raspios.img "$(or $(OUT),build/hikma-hub.img)"

release: $(STAMP) $(ANSIBLE) ## make wheel, image and SHA256SUMS from a clean checkout of a tag; IMAGE=no leaves the image out
	image/release "$(or $(OUT),build/release)"

update-key: ## draw a key that signs updates, for tests: OUT=build/update
	@mkdir -p build
	image/update-key "$(or $(OUT),build/update)"

bundle: ## make an update of the tree that `make image` left: KEY=build/update signs it, which must be the image's
	image/bundle "$(or $(ROOT),build/work/root)" "$(or $(OUT),build/hikma-hub.raucb)" "$(or $(KEY),build/update)"

pictures: $(STAMP) ## make the pictures of the technician's guide anew
	$(BIN)/pytest -q tests/browser/test_guide.py "tests/browser/test_label.py" -k "well or en"
	$(BIN)/python image/pictures.py

test-device: $(STAMP) ## boot the image in QEMU and test it there; RELEASE=no make image-standin comes first; LANES=2 at once
	$(BIN)/pytest -v -s $(if $(LANES),-n $(LANES)) -m "$(or $(ONLY),device)" --durations=15 tests/device

power-cut: $(STAMP) ## cut the power of a hub in QEMU N times under load
	CUTS=$(or $(N),100) $(BIN)/pytest -v -s -m device tests/device/test_power_cut.py

update-cut: $(STAMP) ## cut the power of a hub in QEMU N times while it is updated
	CUTS=$(or $(N),20) $(BIN)/pytest -v -s -m device tests/device/test_updates.py -k any_moment

copy-cut: $(STAMP) ## destroy a hub's data N times while phones push, and make another of its stick, or COPY=spare
	ROUNDS=$(or $(N),200) SEED=$(or $(SEED),1) COPY="$(or $(COPY),stick)" $(BIN)/pytest -v -s --timeout 0 tests/journeys/test_copy.py

backup-cut: $(STAMP) ## kill the command that makes a backup, and the hub that sends one, N times each
	ROUNDS=$(or $(N),30) SEED=$(or $(SEED),1) $(BIN)/pytest -q -s --timeout 0 tests/journeys/test_backup_cuts.py

card-damage: $(STAMP) ## as root: let one block of a hub's card read as noise, N times, and see what is said and what can be read
	ROUNDS=$(or $(N),100) SEED=$(or $(SEED),1) $(BIN)/pytest -q -s --timeout 0 \
		tests/firstboot/test_card_damage.py tests/firstboot/test_boot_damage.py

catalogue: $(STAMP) ## write the page of procedures again after a change of them
	$(BIN)/python -m hub.services.rpc.procedures.catalogue

fuzz: $(STAMP) ## spoil real samples of all that comes from outside: MINUTES=5 SEED=1; coverage-guided too where atheris runs
	-@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps atheris==3.0.0
	$(BIN)/python -m tests.adversary.fuzz --minutes $(or $(MINUTES),5) --seed $(or $(SEED),1)
	! $(BIN)/python -c 'import atheris' 2>/dev/null || for target in messages "cloud answers" card phones; do \
		$(BIN)/python -m tests.adversary.guided "$$target" -max_total_time=$$(( $(or $(MINUTES),5) * 15 )) \
		-max_len=4096 -seed=$(or $(SEED),1) -verbosity=0 $$(mktemp -d) || exit; done

audit: $(STAMP) ## ask PyPI's advisory database about every locked library; says so where it cannot be reached
	$(BIN)/python image/audit.py

messages: $(STAMP) ## bring the pages' catalogues up to date: new messages come in empty
	$(BIN)/python -m hub.web.messages

lock: $(STAMP) ## write the lock files again after a change of pyproject.toml; UPGRADE=1 takes the newest versions
	$(LOCK) --excludes image/left-out.txt --output-file requirements.lock
	$(LOCK) --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		$(if $(UPGRADE),--upgrade) ansible/requirements.in --output-file ansible/requirements.lock

clean: ## remove .venv and whatever tools left behind
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
