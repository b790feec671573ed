#!/bin/sh
# SPDX-License-Identifier: MIT
# What recording costs, beside other profilers, as one table:
#
#   sh bench/compare.sh [OPTION]...      see `python3 bench/compare.py --help`
#
# Installs the peers from the distribution where they are missing, builds heapwise optimised into build-bench/, and
# lets bench/compare.py do the rest. A peer that cannot be installed is left out of the table, and named.
set -eu
cd "$(dirname "$0")/.."
BUILD=build-bench

case " $* " in
*" --help "* | *" -h "*) exec python3 bench/compare.py --help ;;
esac
sh examples/setup.sh build
sh examples/setup.sh bench || echo "compare.sh: some peers are missing and will be left out" >&2
if [ ! -f $BUILD/build.ninja ]; then
    meson setup $BUILD --buildtype=release -Dtests=false >&2
fi
ninja -C $BUILD >&2
exec python3 bench/compare.py --build $BUILD "$@"
