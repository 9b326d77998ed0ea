# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
ARGS ?=

.PHONY: demo test lint storybook benchmark browser clean

demo: $(VENV)/.installed  ## start the chat on the embedded model
	$(RUN) app.py $(ARGS)

test: $(VENV)/.installed-dev browser  ## everything CI runs
	$(MAKE) lint
	$(RUN) -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

storybook: $(VENV)/.installed  ## train the embedded model from nothing; resumes where it was stopped
	$(RUN) -m minigpt5 train storybook $(ARGS)

benchmark: $(VENV)/.installed  ## the README's figures
	$(RUN) -m benchmarks.speed

browser:  ## the page is tested in Chromium; installed from the system's packages where it is missing
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
		{ (apt-get update && apt-get install -y --no-install-recommends chromium) >/dev/null 2>&1 || \
		  { echo "make test needs Chromium on the PATH: install it with your system's package manager" >&2; exit 1; }; }

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	$(RUN) -m pip install --quiet torch==2.13.0
	$(RUN) -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(RUN) -m pip install --quiet -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) runs
