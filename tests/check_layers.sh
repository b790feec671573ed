#!/bin/sh
# SPDX-License-Identifier: MIT
# Folders depend in one direction (CONTRIBUTING.md); a forbidden #include fails here.
cd "$(dirname "$0")/.." || exit 1

# folder: the folders whose headers it may include
allowed='
trace: trace
preload: preload trace
symbols: symbols
collector: collector trace symbols
reader: reader trace symbols
report: report reader
replay: replay reader trace
findings: findings replay report reader
cli: cli replay findings report reader collector symbols trace
'

printf '%s\n' "$allowed" | while IFS=: read -r folder may; do
    [ -d "$folder" ] || continue
    bad=
    # shellcheck disable=SC2044 # names of ours have no spaces
    for file in $(find "$folder" -name '*.[chS]' -o -name '*.def' -o -name '*.cpp'); do
        # shellcheck disable=SC2013
        for header in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file"); do
            case $header in
            ../*) bad="$bad $file:$header" ;;
            */*)
                case " $may " in
                *" ${header%%/*} "*) ;;
                *) bad="$bad $file:$header" ;;
                esac ;;
            esac
        done
    done
    if [ -z "$bad" ]; then
        echo "ok $folder includes only:$may"
    else
        echo "not ok $folder includes only:$may: forbidden:$bad"
    fi
done
