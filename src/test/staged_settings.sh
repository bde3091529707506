#!/bin/sh
# staged_settings.sh - lines of postgresql.conf by which a server finds an
# extension that was installed under a directory of its own.
#
#     PG_CONFIG=pg_config staged_settings.sh STAGE
#
# STAGE was made by make install DESTDIR=...  PostgreSQL 18 has a search path
# for control files; before it, Debian's servers have extension_destdir.
#
# SPDX-License-Identifier: PostgreSQL
set -eu
config=${PG_CONFIG:-pg_config}
stage=$1

major=$("$config" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
if [ "$major" -ge 18 ]; then
    echo "extension_control_path = '$stage$("$config" --sharedir):\$system'"
else
    echo "extension_destdir = '$stage'"
fi
echo "dynamic_library_path = '$stage$("$config" --pkglibdir):\$libdir'"
