# build.mk - how the core and store archives are compiled.
#
# Included by the top Makefile (for PostgreSQL) and by src/test/Makefile.
#   ROOT     the repository's root, relative to where make runs
#   BUILD    where the output goes; one folder per set of flags
#   SANITIZE compiler flags of a sanitizer, or empty
#   COVERAGE --coverage, or empty
#
# A new .c file in a folder of src/core or src/store needs no edit here.

ROOT     ?= .
BUILD    ?= $(ROOT)/build
SANITIZE ?=
COVERAGE ?=
OPTIMIZE ?= -O2 -g
WERROR   ?=

MULTIARCH := $(shell $(CC) -print-multiarch)
# Debian keeps three builds of OpenBLAS; the serial one starts no threads.
BLAS_INCLUDE ?= /usr/include/$(MULTIARCH)/openblas-serial
BLAS_ARCHIVE ?= /usr/lib/$(MULTIARCH)/openblas-serial/libopenblas.a
# OpenBLAS asks getenv for its kernels; kernels/blas.c answers.
CORE_LIBRARIES := -Wl,--wrap=getenv $(BLAS_ARCHIVE) -lutf8proc -ljansson -lmd -lm \
                  -lpthread

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes \
            -Wstrict-prototypes -Wvla -Wundef $(WERROR)
CORE_CPPFLAGS := -D_GNU_SOURCE -I$(ROOT)/src/core -I$(ROOT)/src \
                 -isystem $(BLAS_INCLUDE)
# No fused operation where the source has none: all levels give equal bits.
CORE_CFLAGS := -std=c11 $(OPTIMIZE) -ffp-contract=off $(WARNINGS) -fPIC -fvisibility=hidden \
               $(SANITIZE) $(COVERAGE)

CORE_SOURCES  := $(wildcard $(ROOT)/src/core/*.c $(ROOT)/src/core/*/*.c)
STORE_SOURCES := $(wildcard $(ROOT)/src/store/*.c)
CORE_OBJECTS  := $(patsubst $(ROOT)/src/%.c,$(BUILD)/%.o,$(CORE_SOURCES))
STORE_OBJECTS := $(patsubst $(ROOT)/src/%.c,$(BUILD)/%.o,$(STORE_SOURCES))

CORE_ARCHIVE  := $(BUILD)/libinsitu_core.a
STORE_ARCHIVE := $(BUILD)/libinsitu_store.a
ARCHIVES      := $(STORE_ARCHIVE) $(CORE_ARCHIVE)

$(BUILD)/core/%.o: $(ROOT)/src/core/%.c
	@mkdir -p $(@D)
	$(CC) $(CORE_CPPFLAGS) $(CORE_CFLAGS) -c -o $@ $<

$(BUILD)/store/%.o: $(ROOT)/src/store/%.c
	@mkdir -p $(@D)
	$(CC) $(CORE_CPPFLAGS) $(CORE_CFLAGS) -c -o $@ $<

# Made anew each time: ar would keep the objects of files that are gone.
$(CORE_ARCHIVE): $(CORE_OBJECTS)
	rm -f $@ && ar rcs $@ $(CORE_OBJECTS)

$(STORE_ARCHIVE): $(STORE_OBJECTS)
	rm -f $@ && ar rcs $@ $(STORE_OBJECTS)

# What all objects depend on, here and in the makefiles that include this file:
# files with dependencies name their targets from where make ran, and makefiles
# in three folders build the same objects.
CORE_HEADERS := $(wildcard \
    $(addprefix $(ROOT)/src/core/,*.h */*.h */*.def */*.inc) \
    $(ROOT)/src/store/*.h)
$(CORE_OBJECTS) $(STORE_OBJECTS): $(CORE_HEADERS)
