# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
ARGS ?=

.PHONY: demo test lint storybook benchmark system clean

demo: $(VENV)/.installed  ## start the chat on the embedded model
	$(RUN) app.py $(ARGS)

test: $(VENV)/.installed-dev system  ## everything CI runs
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

# the page is tested in Chromium; the picture book's texts and drawings are made of WordNet and an emoji font
SYSTEM := chromium:$(shell command -v chromium || command -v google-chrome) \
	wordnet-base:$(wildcard /usr/share/wordnet/data.noun) \
	fonts-noto-color-emoji:$(wildcard /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf)
MISSING := $(patsubst %:,%,$(filter %:,$(SYSTEM)))

system:  ## what the tests need of the system's packages, installed where it is missing
	@[ -z "$(MISSING)" ] || (apt-get update && apt-get install -y --no-install-recommends $(MISSING)) >/dev/null 2>&1 || \
		{ echo "make test needs $(MISSING): install them with your system's package manager" >&2; exit 1; }

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
