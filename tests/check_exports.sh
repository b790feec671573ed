#!/bin/sh
# SPDX-License-Identifier: MIT
# The shim exports the names it interposes (preload/hooks.def) and heapwise_*, and nothing else: any
# other symbol could shadow one of the program's.
cd "$(dirname "$0")/.." || exit 1
shim=$1/preload/libheapwise-preload.so
[ -f "$shim" ] || { echo "not ok shim exports: no $shim"; exit 0; }

exported=$(nm -D --defined-only "$shim" | awk '{print $NF}' | sed 's/@.*//' | grep -v '^heapwise_' | sort -u)
hooks=$(grep -oE '\b[A-Za-z_][A-Za-z0-9_]*\b' preload/hooks.def | sort -u)
extra=$(printf '%s\n' "$exported" | grep -vxF "$hooks" | tr '\n' ' ')
if [ -z "$extra" ]; then
    echo "ok the shim exports only its hooks"
else
    echo "not ok the shim exports only its hooks: also $extra"
fi
