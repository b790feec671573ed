#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-format decides spacing; nothing may differ from what it would write.
cd "$(dirname "$0")/.." || exit 1
if ! command -v clang-format >/dev/null 2>&1; then
    echo "skip format: no clang-format here"
    exit 0
fi
bad=
# shellcheck disable=SC2044 # names of ours have no spaces
for file in $(find trace preload symbols collector reader report findings replay cli tests bench examples \
    \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) 2>/dev/null); do
    clang-format --dry-run -Werror "$file" >/dev/null 2>&1 || bad="$bad $file"
done
if [ -z "$bad" ]; then
    echo "ok every source is formatted"
else
    echo "not ok every source is formatted: run clang-format -i on$bad"
fi
