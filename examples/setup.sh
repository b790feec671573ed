#!/bin/sh
# SPDX-License-Identifier: MIT
# Install the Debian packages that building (and testing) heapwise needs, and only those missing.
#
#   sh examples/setup.sh [build|demo|test|bench]...      default: build
#
# The one place that names packages. Asks dpkg first, so a machine that has everything is left
# alone and needs no network; else uses apt-get as root or through sudo, or says what to install.
set -eu

packages_of() {
    case $1 in
    build)
        echo gcc libc6-dev meson ninja-build pkg-config libunwind-dev libmsgpack-dev libzstd-dev \
            libdw-dev libelf-dev libbz2-dev libjemalloc-dev libjansson-dev libiberty-dev ;;
    demo)
        echo sqlite3 ;;
    test)
        echo libcmocka-dev g++ make binutils valgrind python3 python3-msgpack sqlite3 jq cppcheck \
            git perl strace libxml2-utils luajit redis-server redis-tools nginx curl postgresql util-linux \
            procps clang-format man-db zstd musl-tools python3-jsonschema ;;
    bench)
        echo g++ python3 heaptrack google-perftools valgrind libjemalloc2 sqlite3 jq cppcheck \
            redis-server redis-tools strace ;;
    *)
        echo "setup.sh: $1: unknown set of packages; there are build, demo, test, bench" >&2
        exit 2 ;;
    esac
}

wanted=
for set in "${@:-build}"; do
    wanted="$wanted $(packages_of "$set")"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup.sh: no dpkg here; make sure the equivalents of these are installed:$wanted" >&2
    exit 0
fi

missing=
# dpkg-query fails when any name is unknown to it, and still lists the others.
# shellcheck disable=SC2086
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p' || true)
for package in $wanted; do
    printf '%s\n' "$installed" | grep -qxF "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "setup.sh: missing packages, and neither root nor sudo to install them. As root, run:" >&2
    echo "  apt-get install$missing" >&2
    exit 1
fi
echo "Installing:$missing" >&2
install_missing() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing \
        </dev/null >&2
}
# The lists of a fresh machine are empty or old; fetching them is slow, so only when needed.
install_missing || { $as_root apt-get update >&2 && install_missing; }
