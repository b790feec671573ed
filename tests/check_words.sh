#!/bin/sh
# SPDX-License-Identifier: MIT
# Sources and texts speak of the project alone: no machine's paths, no unfinished business.
cd "$(dirname "$0")/.." || exit 1

# tracked_without PATTERN WHAT: no tracked file matches the extended pattern
tracked_without() {
    found=$(git grep -nIE "$1" -- . ':!tests/check_words.sh' 2>/dev/null | head -n 5)
    if [ -z "$found" ]; then
        echo "ok no $2"
    else
        echo "not ok no $2: $(printf '%s' "$found" | tr '\n' ' ' | cut -c 1-300)"
    fi
}

if ! git rev-parse --git-dir >/dev/null 2>&1; then
    echo "skip words: not a git checkout"
    exit 0
fi
tracked_without '(/root/|/home/[a-z]+/)' 'paths of somebody'"'"'s machine'
tracked_without '(FIXME|TODO *$|<<<<<<< )' 'unfinished business'
