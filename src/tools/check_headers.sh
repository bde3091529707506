#!/bin/sh
# check_headers.sh - each header compiles alone, as C and inside extern "C".
#
# Prints the compiler's words for each header that does not.
# Headers of src/pg need PostgreSQL's; they are left out where those are not.
#
# SPDX-License-Identifier: PostgreSQL
set -u
cd "$(dirname "$0")/../.."
multiarch=$(gcc -print-multiarch)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
include="-Isrc/core -Isrc -Isqlite_ext
         -isystem /usr/include/$multiarch/openblas-serial"
server=$(pg_config --includedir-server 2>/dev/null) || server=
status=0

for header in $(/usr/bin/python3 src/tools/tracked_files.py 'src/core/*.h' \
                'src/store/*.h' 'sqlite_ext/*.h' 'src/pg/*.h'); do
    extra=
    case $header in
        src/pg/*)
            [ -e "$server/postgres.h" ] || continue
            extra="-Isrc/pg -isystem $server -include postgres.h" ;;
    esac
    echo "#include \"$PWD/$header\"" >"$work/alone.c"
    echo 'typedef int not_empty;' >>"$work/alone.c"
    {
        echo 'extern "C" {'
        cat "$work/alone.c"
        echo '}'
    } >"$work/alone.cpp"
    # shellcheck disable=SC2086  # lists of words
    gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
        $include $extra "$work/alone.c" || {
        echo "$header does not compile alone"
        status=1
    }
    case $header in src/pg/*) continue ;; esac
    # C's implicit conversions and designators are warnings only in C++.
    # shellcheck disable=SC2086
    g++ -D_GNU_SOURCE -Wall -Werror -Wno-unused -fsyntax-only $include \
        "$work/alone.cpp" || {
        echo "$header does not compile as C++"
        status=1
    }
done
exit $status
