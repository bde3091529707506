#!/bin/sh
# The Python suite over the extension built with ASan and UBSan.
# usage: run_asan.sh MODULE.so [PATTERN]
set -e
here=$(dirname "$0")
libraries=$(gcc -print-file-name=libasan.so)
libraries=$libraries:$(gcc -print-file-name=libubsan.so)
LD_PRELOAD=$libraries \
ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
PYTHONMALLOC=malloc \
    exec /usr/bin/python3 "$here/run_tests.py" "$@"
