# Eyelid's few commands. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
BIN_PACKAGING := $(VENV)-packaging/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

run: setup ## Set everything up and open Eyelid (in the terminal where there is no display)
	@$(BIN)/python -m ui

test: setup-dev ## Set everything up, then lint, types and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/ui
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/ui

test-vectors: $(VENV)-oracles/.stamp system-test ## The vault's format against the public age vectors, and other age programs in both directions
	$(VENV)-oracles/bin/python tests/vectors/run.py

test-long: setup-dev ## A thousand kills while captures come in, and what else takes its time
	$(BIN)/python tests/long/kills.py --kills 1000
	$(BIN)/python -m pytest -n 2 -m hypothesis --hypothesis-profile new

test-oracles: $(VENV)-oracles/.stamp ## Our requests, and the simulated Frame and Halo, against the vendors' own libraries
	$(VENV)-oracles/bin/python -c 'import anthropic, brilliant_ble, brilliant_msg, google.genai, lupa.lua54, ollama, openai'
	$(VENV)-oracles/bin/python -m pytest tests/assistants/test_oracles.py tests/ble/test_brilliant_official.py tests/ble/test_brilliant_lua.py

test-access: setup-dev ## A person's whole path through AT-SPI, as a screen reader meets the window
	$(BIN)/python tests/ui/at_spi.py

test-bluez: setup-dev ## The glasses driver against the real BlueZ, in a virtual machine
	$(BIN)/python tests/bluez/run.py

test-systems: setup-dev ## Types, modules and the main job as they would be on Windows and macOS, as far as Linux can stand in for them
	$(BIN)/python tests/packaging/systems.py

test-separation: setup-dev ## The whole program on a network of its own: what leaves it, and what does not
	$(BIN)/python tests/separation/run.py

setup: $(VENV)/.run-stamp system

setup-dev: $(VENV)/.dev-stamp system system-test

$(VENV)/.run-stamp: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Eyelid needs Python 3.11 or newer; set PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev-stamp: requirements-dev.txt $(VENV)/.run-stamp
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)-oracles/.stamp: requirements-oracles.txt | system
	test -x $(VENV)-oracles/bin/python || $(PYTHON) -m venv $(VENV)-oracles
	$(VENV)-oracles/bin/python -m pip install --quiet --require-hashes -r requirements-oracles.txt
	@touch $@

$(VENV)-packaging/.stamp: requirements-packaging.txt
	test -x $(BIN_PACKAGING)/python || $(PYTHON) -m venv $(VENV)-packaging
	$(BIN_PACKAGING)/python -m pip install --quiet --require-hashes -r requirements-packaging.txt
	@touch $@

# Debian's shared libraries: installed when we may, named when we may not. Elsewhere nothing is needed.
system:
	@$(call debian,resources/packaging/debian-packages.txt)

system-test:
	@$(call debian,resources/packaging/debian-test-packages.txt)

system-packaging:
	@$(call debian,resources/packaging/debian-packaging-packages.txt)

define debian
command -v dpkg-query >/dev/null || exit 0; \
missing=$$(for p in $$(grep -v '^#' $(1)); do \
  dpkg-query -W -f '$${Status}\n' $$(echo $$p | tr '|' ' ') 2>/dev/null | grep -q 'ok installed' || echo $${p%%|*}; done); \
[ -z "$$missing" ] && exit 0; \
if [ "$$(id -u)" = 0 ]; then run=""; elif sudo -n true 2>/dev/null; then run="sudo -n"; \
else echo "Missing system packages. Please run: sudo apt-get install" $$missing; exit 0; fi; \
$$run apt-get update -qq && $$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null
endef

package: $(VENV)-packaging/.stamp system system-packaging ## dist/: wheel, source archive, and a folder that needs no Python
	$(BIN_PACKAGING)/python -m build --quiet --no-isolation --outdir dist
	$(BIN_PACKAGING)/python tests/packaging/icons.py build/package
	$(BIN_PACKAGING)/python tests/packaging/licences.py --texts build/package/LICENCES.txt
	$(BIN_PACKAGING)/pyinstaller --noconfirm --log-level ERROR --distpath dist --workpath build/pyinstaller resources/packaging/eyelid.spec
	@du -sh dist/eyelid dist/*.whl dist/*.tar.gz

test-package: package ## The wheel by itself; the folder on a Debian without Python, with a picture of its window; the desktop files (as root)
	desktop-file-validate resources/packaging/app.eyelid.Eyelid.desktop
	appstreamcli validate --no-net resources/packaging/app.eyelid.Eyelid.metainfo.xml
	if command -v flatpak-builder >/dev/null; then cd build && flatpak-builder --show-manifest ../resources/packaging/app.eyelid.Eyelid.yml >/dev/null; fi
	rm -rf build/wheel build/wheel-profile
	$(BIN_PACKAGING)/python -m pip install --quiet --no-deps --target build/wheel dist/*.whl
	cd build/wheel && $(abspath $(BIN_PACKAGING))/python -m ui --profile ../wheel-profile demo --yes
	$(PYTHON) tests/packaging/packaged.py dist/eyelid --picture dist/window.png

test-bare: system-packaging ## The README's two commands on a bare Debian 12 (as root)
	$(PYTHON) tests/packaging/bare_root.py

audit: $(VENV)-packaging/.stamp ## Licences and known weaknesses of everything that is shipped (Error 3: nobody could be asked for the latter)
	$(BIN_PACKAGING)/python tests/packaging/licences.py
	@$(BIN_PACKAGING)/python tests/packaging/weaknesses.py

policy-review: setup ## Which policy cards are to be read anew, and where
	$(BIN)/python -m ui policies review

translations: setup-dev ## Collect every sentence and keep the catalogues of all languages
	$(BIN)/python tests/ui/translations.py

screenshots: setup-dev ## Make the README's pictures anew, and those of every page in every look (outside the repository)
	$(BIN)/python tests/ui/screenshots.py --readme resources/screenshots

lock: setup-dev ## Write the hash-locked requirement files anew
	$(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements-dev.txt
	$(BIN)/uv pip compile pyproject.toml --group build --group dev --group oracles --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements-oracles.txt
	$(BIN)/uv pip compile pyproject.toml --group build --group packaging --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements-packaging.txt

clean: ## Remove what the commands above made
	rm -rf $(VENV) $(VENV)-oracles $(VENV)-packaging build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

.PHONY: help run test test-long test-vectors test-oracles test-bluez test-access test-separation test-systems setup setup-dev system system-test screenshots lock clean translations package test-package test-bare audit policy-review system-packaging
