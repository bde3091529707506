# insitu - language models inside PostgreSQL and SQLite.
#
#   make, make install   the PostgreSQL extension (PGXS; PG_CONFIG=... picks one)
#   make sqlite          the SQLite extension, sqlite_ext/insitu.so
#   make demo            a tickets table in SQLite, classified and searched
#   make test            every suite on both databases (CONTRIBUTING.md)
#   make quick           unit tests and the fast part of lint, under 30 s
#
# demo, test and deps install missing Debian packages; nothing else does.
# Also: lint format asan valgrind fuzz T=60 fuzz-plans N=10000 bench bench-train
# accuracy export parity-fixtures coverage dist clean.

MAKEFLAGS += --no-print-directory

PG_CONFIG ?= pg_config
PYTHON    ?= /usr/bin/python3
T         ?= 60
SEED      ?= 1
DATA_SETS ?= ../shared/data

# "all" must come before the rules of build.mk.
all:

ROOT  := .
BUILD := build
include src/build.mk

RELEASE    := $(shell sed -n 's/.*INSITU_VERSION "\(.*\)".*/\1/p' \
                src/core/insitu.h)
MODEL_NAME := insitu-mini-en
PACK       := build/$(MODEL_NAME).pack
SCRIPT     := insitu--$(RELEASE).sql

# --- PostgreSQL -------------------------------------------------------------

PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))

ifneq ($(PGXS),)

MODULE_big = insitu
EXTENSION  = insitu
OBJS       = $(patsubst %.c,%.o,$(wildcard src/pg/*.c))
DATA_built = $(SCRIPT)
DATA       = $(wildcard src/pg/sql/upgrade/insitu--*.sql)
DOCS       =

PG_CPPFLAGS = -I$(CURDIR)/src/core -I$(CURDIR)/src -I$(CURDIR)/src/pg
# The archives' symbols stay inside: another BLAS in the backend is not ours.
# json_object: src/pg/pg_jansson.c.
SHLIB_LINK  = $(ARCHIVES) $(CORE_LIBRARIES) -Wl,--exclude-libs,ALL \
              -Wl,--wrap=json_object \
              -Wl,--version-script=src/pg/insitu.map -Wl,-z,relro,-z,now

# PGXS installs each file under a fresh folder by name only; the test runner
# src/test/run_pg.sh calls these with a staged installation.
REGRESS        = $(patsubst sql/%.sql,%,$(sort $(wildcard sql/*.sql)))
REGRESS_OPTS   = --inputdir=. --outputdir=build/regress
ISOLATION      = $(patsubst src/test/isolation/specs/%.spec,%,$(sort \
                   $(wildcard src/test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=src/test/isolation --outputdir=build/isolation
PROVE_TESTS    = src/test/tap/*.pl

EXTRA_CLEAN = build $(SCRIPT)

# Without this Debian's PGXS also compiles and installs LLVM bitcode of every
# file, without our flags.
override with_llvm = no
include $(PGXS)

insitu.so: $(ARCHIVES) src/pg/insitu.map
$(OBJS): $(wildcard src/pg/*.h) $(CORE_HEADERS)

all: $(PACK)

install: install-pack
install-pack: $(PACK)
	$(MKDIR_P) '$(DESTDIR)$(datadir)/insitu'
	$(INSTALL_DATA) $(PACK) '$(DESTDIR)$(datadir)/insitu/'

uninstall: uninstall-pack
uninstall-pack:
	rm -f '$(DESTDIR)$(datadir)/insitu/$(MODEL_NAME).pack'

# The check of PGXS says "not supported" and succeeds.
check: test

clean: clean-sqlite

else

all: sqlite
	@echo 'No PostgreSQL server headers found ($(PG_CONFIG) --pgxs):'
	@echo 'built the SQLite extension only.'

install:
	@echo 'make install needs PostgreSQL server headers, on Debian the' \
	      'package postgresql-server-dev-15' >&2
	@exit 1

check: test

clean: clean-sqlite
	rm -rf build $(SCRIPT)

.PHONY: all install check clean

endif

$(SCRIPT): $(sort $(wildcard src/pg/sql/install/*.sql)) src/core/insitu.h
	cat $(filter %.sql,$^) > $@

# --- the shipped model ------------------------------------------------------

# make export PACK=FILE TO=DIRECTORY [NUMBERS=f16]: a Hugging Face directory.
EXPORT_SOURCES := $(wildcard src/tools/export_*.c)

build/export_model: $(EXPORT_SOURCES) src/tools/export.h $(ARCHIVES)
	$(CC) $(CORE_CPPFLAGS) -std=c11 $(OPTIMIZE) $(WARNINGS) -o $@ \
	    $(EXPORT_SOURCES) $(ARCHIVES) $(CORE_LIBRARIES)

NUMBERS ?= f32
export: build/export_model
	build/export_model '$(PACK)' '$(TO)' $(NUMBERS)

build/make_pack: src/tools/make_pack.c $(ARCHIVES)
	$(CC) $(CORE_CPPFLAGS) -std=c11 $(OPTIMIZE) $(WARNINGS) -o $@ $< \
	    $(ARCHIVES) $(CORE_LIBRARIES)

$(PACK): build/make_pack $(wildcard models/$(MODEL_NAME)/*)
	build/make_pack models/$(MODEL_NAME) $@.new
	mv $@.new $@

# --- SQLite -----------------------------------------------------------------

# The archives first: two makes must not write them at once.
sqlite: $(ARCHIVES) $(PACK)
	$(MAKE) -C sqlite_ext

demo: deps-demo
	$(MAKE) -C sqlite_ext demo

clean-sqlite:
	$(MAKE) -C sqlite_ext clean

# --- tests ------------------------------------------------------------------

deps-demo:
	@sh src/tools/install_packages.sh demo
deps-bench:
	@sh src/tools/install_packages.sh bench
deps:
	@sh src/tools/install_packages.sh test

test: deps
	@$(PYTHON) src/test/run_all.py

quick:
	@$(PYTHON) src/test/run_all.py --quick

lint:
	@$(PYTHON) src/tools/lint.py

format:
	clang-format -i $$(git ls-files '*.c' '*.h' '*.inc')

asan:
	@$(PYTHON) src/test/run_all.py --only asan,fault,fuzz-replay,sqlite-asan

valgrind:
	$(MAKE) -C src/test valgrind

fuzz:
	$(MAKE) -C src/test fuzz T=$(T)

N ?= 10000
fuzz-plans: all
	$(PYTHON) src/test/plans/fuzz_plans.py --queries $(N) --seed $(SEED)

coverage:
	$(MAKE) -C src/test coverage

# QUICK=1: the table of engines alone, two rounds.
bench: deps-bench sqlite build/make_pack
	$(PYTHON) src/test/bench/bench_peers.py
ifeq ($(QUICK),)
	$(PYTHON) src/test/bench/bench_sharing.py
endif

build/bench_train_step: src/test/bench/bench_train_step.c $(ARCHIVES)
	$(CC) $(CORE_CPPFLAGS) -std=c11 $(OPTIMIZE) $(WARNINGS) -o $@ $< \
	    $(ARCHIVES) $(CORE_LIBRARIES)

# A step of fine-tuning against torch's; then what trained models reach, on
# the data sets that are there.
bench-train: deps-bench sqlite build/make_pack build/bench_train_step
	$(PYTHON) src/test/bench/bench_train_step.py
	$(PYTHON) src/test/bench/bench_training.py --data '$(DATA_SETS)'

# 8-bit weights against 32-bit floats, over all held-back rows that are there.
accuracy: sqlite
	$(PYTHON) -B src/test/accuracy/check_accuracy.py --data '$(DATA_SETS)'

parity-fixtures:
	$(MAKE) -C src/test parity-fixtures

dist:
	git archive --format zip --prefix=insitu-$(RELEASE)/ \
	    --output insitu-$(RELEASE).zip HEAD

.PHONY: sqlite demo clean-sqlite deps-demo deps-bench deps test quick lint \
        format asan valgrind fuzz fuzz-plans coverage bench bench-train \
        accuracy export parity-fixtures dist install-pack uninstall-pack
