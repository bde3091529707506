#!/bin/sh
# run_demo.sh - makes a tickets database, classifies it and searches in it.
# usage: run_demo.sh MODULE.so [DATABASE]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
module=$1
database=${2-}
if [ -z "$database" ]; then
    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    database=$directory/tickets.db
fi
sqlite3 -bail "$database" ".read '$here/tickets.sql'"
sqlite3 -bail "$database" ".load '$module' sqlite3_insitu_init" \
    ".read '$here/demo.sql'"
