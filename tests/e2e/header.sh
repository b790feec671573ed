#!/bin/sh
# SPDX-License-Identifier: MIT
# The public header: a program that includes it runs alone and under heapwise, and its marks stand in
# the report, in order.
#
#   header.sh [BUILD]     $HEAPWISE is the command under test
cd "$(dirname "$0")/../.." || exit 1
HEAPWISE=$(realpath "${HEAPWISE:-${1:-build-test}/heapwise}")
folder=$(mktemp -d /tmp/heapwise-header-XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT

cat >"$folder/marked.c" <<'C'
#include <heapwise.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    free(malloc(10));
    heapwise_mark("loaded");
    heapwise_mark("with a \033 in it");
    printf("%d\n", heapwise_is_recording());
    return 0;
}
C

# says NAME EXPECTED ACTUAL
says() {
    if [ "$2" = "$3" ]; then echo "ok header: $1"; else echo "not ok header: $1: '$3', not '$2'"; fi
}

for language in "gcc -std=c99 -x c" "g++ -std=c++11 -x c++"; do
    name=${language%% *}
    if ! $language -Wall -Wextra -Wpedantic -Werror -Ipreload -o "$folder/marked" "$folder/marked.c"; then
        echo "not ok header: $name compiles it"
        continue
    fi
    says "$name, alone" 0 "$("$folder/marked")"
    says "$name, recorded" 1 "$("$HEAPWISE" run -q -o "$folder/t.hwt" -- "$folder/marked" 2>&1)"
    says "$name, marks in the report" "loaded|with a \\x1b in it|" \
        "$("$HEAPWISE" report "$folder/t.hwt" | sed -n '/^MARKS/,/^$/s/^ *[0-9.]* s  //p' | tr '\n' '|')"
done
