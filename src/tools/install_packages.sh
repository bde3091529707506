#!/bin/sh
# install_packages.sh - installs the Debian packages that a target needs and
# that are missing.  Says what it does, asks nothing.
#
#     sh src/tools/install_packages.sh demo|test|bench [--dry-run]
#
# SPDX-License-Identifier: PostgreSQL
set -eu

demo='gcc libc6-dev make libopenblas-serial-dev libutf8proc-dev
      libjansson-dev libmd-dev libsqlite3-dev sqlite3'
# Those of Debian 12, and of its successor.
server=15 clang=14
# shellcheck source=/dev/null
[ "$(. /etc/os-release 2>/dev/null && echo "${VERSION_ID-}")" != 13 ] ||
    server=17 clang=19
test="$demo chromium g++ clang clang-format git libcmocka-dev libipc-run-perl
      libclang-rt-$clang-dev perl postgresql-$server
      postgresql-server-dev-$server python3"
bench="$test python3-numpy python3-onnx python3-sklearn python3-torch"
# Debian's npm brings hundreds of packages; any other one will do.
command -v npm >/dev/null 2>&1 || bench="$bench npm"

case ${1-} in
    demo) wanted=$demo ;;
    test) wanted=$test ;;
    bench) wanted=$bench ;;
    *) echo 'usage: install_packages.sh demo|test|bench [--dry-run]' >&2
       exit 2 ;;
esac

is_installed() {
    # "install ok installed" or "hold ok installed"; a removed package that
    # left its configuration files does not count.
    dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q ' ok installed$'
}

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo 'insitu: not a Debian system, packages are not checked' >&2
    exit 0
fi

missing=
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root='env'
elif command -v sudo >/dev/null 2>&1; then
    as_root='sudo env'
else
    echo "insitu: these packages are missing:$missing" >&2
    echo 'insitu: run this command as root, or install sudo, or run' >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

echo "insitu: installing$missing"
[ "${2-}" != --dry-run ] || exit 0

# The server's package makes a cluster "main" when it is first installed.  The
# tests use clusters of their own; this one is told never to start.
settings=$(mktemp -d)
trap 'rm -rf "$settings"' EXIT
chmod 755 "$settings"
echo "start_conf = 'disabled'" >"$settings/createcluster.conf"

environment="DEBIAN_FRONTEND=noninteractive PGSYSCONFDIR=$settings"
# shellcheck disable=SC2086  # lists of words
$as_root $environment apt-get update -q
# shellcheck disable=SC2086
$as_root $environment apt-get install -q -y --no-install-recommends $missing
