#!/bin/sh
# SPDX-License-Identifier: MIT
# Every key of heapwise-report/1 is there and has the type it promises: in the golden document, and in the
# report of every golden trace once the command in the build folder can read one.
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
schema=tests/support/report_schema.py

check() { # check NAME FILE
    if reason=$(python3 "$schema" "$2" 2>&1); then
        echo "ok report json: $1"
    else
        echo "not ok report json: $1: $(echo "$reason" | head -n 5 | tr '\n' ';')"
    fi
}

check golden tests/golden/expected/report.json
"$build/heapwise" help report >/dev/null 2>&1 || exit 0
document=$(mktemp) || exit 1
trap 'rm -f "$document"' EXIT
for trace in tests/golden/traces/*.hwt; do
    [ -f "$trace" ] || continue
    "$build/heapwise" report --format json --top 0 "$trace" >"$document" 2>/dev/null
    check "$(basename "$trace")" "$document"
done
