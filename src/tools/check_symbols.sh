#!/bin/sh
# check_symbols.sh - what the core calls and what the libraries export.
#
#     check_symbols.sh core     build/libinsitu_core.a
#     check_symbols.sh pg       insitu.so
#     check_symbols.sh sqlite   sqlite_ext/insitu.so
#
# The core may call only what allowed_imports.txt lists: printing, exiting,
# allocating, reading the environment or the locale do not link.
#
# SPDX-License-Identifier: PostgreSQL
set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

complain() { # title, file with one symbol per line
    if [ -s "$2" ]; then
        sed "s/^/$1: /" "$2"
        status=1
    fi
}

check_core() {
    archive=build/libinsitu_core.a
    nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' |
        sort -u >"$work/defined"
    nm "$archive" | awk '$1 == "U" { print $2 }' | sort -u >"$work/called"
    grep -v '^#' src/tools/allowed_imports.txt | sort -u >"$work/allowed"

    # __wrap_getenv: kernels/blas.c.
    grep -v -e '^ins_' -e '^__wrap_getenv$' "$work/defined" \
        >"$work/names" || :
    complain 'the core defines a name without ins_' "$work/names"
    comm -23 "$work/called" "$work/defined" >"$work/imports"
    grep '^ins_' "$work/imports" >"$work/lost" || :
    complain 'declared and called but nowhere defined' "$work/lost"
    grep -v '^ins_' "$work/imports" | comm -23 - "$work/allowed" \
        >"$work/foreign" || :
    complain 'the core may not call' "$work/foreign"

    # Writable data outside functions would be shared between threads.
    # .data.rel.ro holds constants with pointers: read-only once loaded.
    nm -f sysv "$archive" | tr -d ' ' |
        awk -F'|' '$7 ~ /^(\.data|\.bss|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/ \
                   { print $1 }' | grep -v '^\.' >"$work/writable" || :
    complain 'the core has writable data' "$work/writable"
}

check_exports() { # library, pattern of the names it may export
    nm -D --defined-only "$1" | awk 'NF == 3 { print $3 }' |
        grep -vE "$2" >"$work/exports" || :
    complain "$1 exports" "$work/exports"
    nm -D --defined-only "$1" | awk 'NF == 3 { print $3 }' |
        grep -qE "$2" || { echo "$1 exports nothing"; status=1; }
}

case ${1-} in
    core) check_core ;;
    pg) check_exports insitu.so \
            '^(Pg_magic_func|_PG_init|pg_finfo_insitu_.*|insitu_.*)$' ;;
    sqlite) check_exports sqlite_ext/insitu.so \
                '^sqlite3_insitu(prefixed)?_init$' ;;
    *) echo 'usage: check_symbols.sh core|pg|sqlite' >&2; exit 2 ;;
esac
exit $status
