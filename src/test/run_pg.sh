#!/bin/bash
# run_pg.sh - regression, isolation and TAP tests of the PostgreSQL extension.
#
#     run_pg.sh [--only regress|isolation|tap] [--tests "name name"] [staged]
#
# Runs in a temporary cluster, as an unprivileged user when root calls it, and
# writes nothing outside a temporary directory but build/pg, where outputs of
# failed tests stay.  staged: a directory made by make install DESTDIR=...;
# without it one is made.  PG_CONFIG picks the server.
#
# SPDX-License-Identifier: PostgreSQL
set -eu
cd "$(dirname "$0")/../.."
unset MAKEFLAGS MFLAGS MAKELEVEL
for name in $(compgen -e | grep '^PG' | grep -v '^PG_CONFIG$'); do
    unset "$name"
done
root=$PWD
config=${PG_CONFIG:-pg_config}
only=
tests=
staged=
while [ $# -gt 0 ]; do
    case $1 in
        --only) only=$2; shift 2 ;;
        --tests) tests=$2; shift 2 ;;
        *) staged=$1; shift ;;
    esac
done

bin=$("$config" --bindir)
pgxs=$(dirname "$(dirname "$(dirname "$("$config" --pgxs)")")")
work=$(mktemp -d /tmp/insitu-pg-XXXXXX)
chmod 755 "$work"

owner=$(id -un)
if [ "$(id -u)" = 0 ]; then
    owner=postgres
    id postgres >/dev/null 2>&1 || owner=nobody
fi

# Runs a command as the cluster's owner, with what tests look for.
as_owner() {
    local run=()
    [ "$owner" = "$(id -un)" ] || run=(runuser -u "$owner" --)
    (cd "$work/run" && "${run[@]}" env HOME="$work/run" \
        PATH="$bin:/usr/bin:/bin" LC_ALL=C.UTF-8 TZ=UTC \
        INSITU_SETTINGS="$work/run/staged.conf" \
        INSITU_MODELS="$work/models" INSITU_PYTHON=/usr/bin/python3 \
        "$@")
}

stop() {
    [ -f "$work/run/data/postmaster.pid" ] &&
        as_owner pg_ctl -D data -m immediate -w stop >/dev/null 2>&1
    rm -rf "$root/build/pg"
    mkdir -p "$root/build/pg"
    for kept in regress isolation log; do
        [ -e "$work/run/$kept" ] && cp -r "$work/run/$kept" "$root/build/pg/"
    done
    [ -d "$work/run/tap/tmp_check/log" ] &&
        cp -r "$work/run/tap/tmp_check/log" "$root/build/pg/tap"
    rm -rf "$work"
}
trap stop EXIT

if [ -z "$staged" ]; then
    staged=$work/stage
    make -s install DESTDIR="$staged" PG_CONFIG="$config" >/dev/null
    chmod -R a+rX "$staged"
fi

# The owner need not be able to read the checkout.
mkdir -p "$work/run/regress" "$work/run/isolation" "$work/run/tap" \
    "$work/models"
PG_CONFIG=$config src/test/staged_settings.sh "$staged" \
    >"$work/run/staged.conf"
cp -r sql expected "$work/run/regress/"
cp -r src/test/isolation/. "$work/run/isolation/"
cp -r src/test/tap/. "$work/run/tap/"
cp -r src/test/parity/fixtures/encoder_* "$work/models/"
cp src/tools/make_random_model.py "$work/models/"
/usr/bin/python3 -B src/test/doc/make_models.py "$work/models"
cp -r "$work/models/encoder_bert_relu" "$work/outside"
ln -s ../outside "$work/models/link"
cp -r "$work/models/tickets" "$work/models/tickets-outside"
sed -i 's|\.\./encoder|../../outside|' \
    "$work/models/tickets-outside/adapter_config.json"
chmod -R a+rX "$work/models" "$work/outside"
chmod 700 "$work/run"
[ "$owner" = "$(id -un)" ] || chown -R "$owner" "$work/run"

start_cluster() {
    as_owner initdb -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
        -N >/dev/null
    as_owner sh -c 'cat >>data/postgresql.conf' <<CONF
listen_addresses = ''
unix_socket_directories = '$work/run'
fsync = off
max_connections = 100
$(cat "$work/run/staged.conf")
CONF
    as_owner pg_ctl -D data -l log -w start >/dev/null
}

failed=0
run_regress() {
    local names=${tests:-$(cd sql && ls ./*.sql | sed 's|^\./||; s|\.sql$||')}
    # shellcheck disable=SC2086
    as_owner "$pgxs/src/test/regress/pg_regress" --inputdir=regress \
        --outputdir=regress --bindir="$bin" --host="$work/run" \
        --user=postgres --dbname=insitu_regress --load-extension=insitu \
        $names || failed=1
    if [ -s "$work/run/regress/regression.diffs" ]; then
        cut -c1-300 "$work/run/regress/regression.diffs" | head -150
    fi
}

run_isolation() {
    local names=${tests:-$(cd src/test/isolation/specs &&
        ls ./*.spec | sed 's|^\./||; s|\.spec$||')}
    # shellcheck disable=SC2086
    as_owner "$pgxs/src/test/isolation/pg_isolation_regress" \
        --inputdir=isolation --outputdir=isolation --bindir="$bin" \
        --host="$work/run" --user=postgres --dbname=insitu_isolation \
        --load-extension=insitu $names || failed=1
    if [ -s "$work/run/isolation/output_iso/regression.diffs" ]; then
        cut -c1-300 "$work/run/isolation/output_iso/regression.diffs" |
            head -150
    fi
}

run_tap() {
    local names=${tests:-$(cd src/test/tap && ls ./*.pl)}
    # shellcheck disable=SC2086
    (cd "$work/run/tap" && true)
    as_owner sh -c "cd tap && PG_REGRESS=$pgxs/src/test/regress/pg_regress \
        TESTDIR=\$PWD TESTDATADIR=\$PWD/tmp_check \
        prove -v -I . -I $pgxs/src/test/perl $(echo $names)" || failed=1
}

[ "$only" = tap ] || start_cluster
[ -n "$only" ] && [ "$only" != regress ] || run_regress
[ -n "$only" ] && [ "$only" != isolation ] || run_isolation
[ -n "$only" ] && [ "$only" != tap ] || run_tap
exit $failed
