#!/bin/sh
# SPDX-License-Identifier: MIT
# The shim lives in foreign processes: what it asks of libc is an explicit list, so that malloc, stdio
# or a lock does not creep in through a helper. A new name goes into tests/allowed_imports.txt with
# a reason beside it.
cd "$(dirname "$0")/.." || exit 1
shim=$1/preload/libheapwise-preload.so
[ -f "$shim" ] || { echo "not ok shim imports: no $shim"; exit 0; }

allowed=$(sed 's/#.*//; s/[ \t]*$//' tests/allowed_imports.txt | grep -v '^$' | sort -u)
imported=$(nm -D --undefined-only "$shim" | awk '{print $NF}' | sed 's/@.*//' | sort -u)
extra=$(printf '%s\n' "$imported" | grep -vxF "$allowed" | tr '\n' ' ')
if [ -z "$extra" ]; then
    echo "ok the shim imports nothing but what is allowed"
else
    echo "not ok the shim imports nothing but what is allowed: also $extra"
fi
unused=$(printf '%s\n' "$allowed" | grep -vxF "$imported" | tr '\n' ' ')
if [ -z "$unused" ]; then
    echo "ok every allowed import is used"
else
    echo "not ok every allowed import is used: drop $unused"
fi
