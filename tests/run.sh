#!/bin/sh
# SPDX-License-Identifier: MIT
# Build heapwise and run its tests:
#
#   sh tests/run.sh [SUITE...]     unit golden checks victims e2e sanitizers; default: all of them
#
# Every suite prints lines `ok NAME`, `not ok NAME: why` or `skip NAME: why`; they are counted here, failures are
# repeated at the end, and the last line is `N passed, N failed`. Output of a suite is kept in
# build-test/logs/. A second run rebuilds nothing that has not changed.
set -u
cd "$(dirname "$0")/.." || exit 1
ROOT=$PWD
BUILD=build-test
suites=${*:-unit golden checks victims e2e sanitizers}

# One verdict must come out of this script, whatever happens.
stop() {
    echo "tests/run.sh: $1" >&2
    echo "0 passed, 1 failed"
    exit 1
}

# configure FOLDER OPTION...: set a build folder up once, later only bring it up to date.
configure() {
    folder=$1
    shift
    if [ -f "$folder/build.ninja" ]; then
        output=$(ninja -C "$folder" build.ninja 2>&1)
    else
        rm -rf "$folder"
        output=$(meson setup "$folder" "$@" 2>&1)
    fi || { printf '%s\n' "$output" >&2; return 1; }
}

# build FOLDER [TARGET]: quiet unless it fails.
build() {
    output=$(ninja -C "$@" 2>&1) || { printf '%s\n' "$output" >&2; return 1; }
}

# has_target FOLDER TARGET
has_target() {
    ninja -C "$1" -t targets all 2>/dev/null | grep -q "^$2: "
}

# script COMMAND FILE...: its lines, and a failure of our own should it break down without one.
script() {
    [ -f "$2" ] || return 0
    timeout 1200 "$@" >$BUILD/logs/script.out 2>&1
    status=$?
    cat $BUILD/logs/script.out
    [ $status -eq 0 ] || grep -q '^not ok ' $BUILD/logs/script.out || echo "not ok $2: ended with status $status"
}

suite_unit() { script python3 tests/support/run_units.py $BUILD unit; }

suite_golden() { script python3 tests/golden/golden.py $BUILD; }

suite_checks() {
    for check in tests/check_*.sh; do
        script sh "$check" $BUILD
    done
}

suite_victims() { script python3 tests/e2e/victims.py $BUILD; }

suite_e2e() {
    for test in tests/e2e/*.sh; do
        script sh "$test" $BUILD
    done
    for test in tests/e2e/*.py; do
        case $test in
        */victims.py | */lib_*.py) ;;
        *) script python3 "$test" $BUILD ;;
        esac
    done
}

# sanitized FOLDER SANITIZERS SUITE: the same unit tests again, built to watch themselves.
sanitized() {
    configure "$1" -Db_sanitize="$2" -Db_lundef=false -Dwerror=true -Dbuildtype=debugoptimized ||
        { echo "not ok $1: cannot be configured"; return; }
    has_target "$1" "tests-$3" || return 0
    build "$1" "tests-$3" || { echo "not ok $1: does not build"; return; }
    script python3 tests/support/run_units.py "$1" "$3" | sed "s/^\(ok\|not ok\|skip\) /&$2 /"
}

suite_sanitizers() {
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
    sanitized build-asan address,undefined sanitized
    sanitized build-tsan thread threads
}

for suite in $suites; do
    case $suite in
    unit | golden | checks | victims | e2e | sanitizers) ;;
    *) stop "$suite: unknown suite" ;;
    esac
done
sh examples/setup.sh build demo test || stop "packages are missing"
configure $BUILD -Dwerror=true || stop "cannot configure $BUILD"
build $BUILD || stop "$BUILD does not build"
# A checkout that was only tested still gets the command where the README says it is.
if [ ! -e build/heapwise ]; then
    mkdir -p build && ln -sf "../$BUILD/heapwise" build/heapwise
fi
export HEAPWISE="$ROOT/$BUILD/heapwise"
# Some tests run as another user, who may not be able to look into this checkout: a copy for them.
if [ "$(id -u)" -eq 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$HEAPWISE"; then
    copy=$(mktemp -d /tmp/heapwise-copy-XXXXXX) || stop "cannot make a folder in /tmp"
    trap 'rm -rf "$copy"' EXIT
    mkdir "$copy/cli" "$copy/preload" "$copy/replay"
    cp $BUILD/cli/heapwise "$copy/cli/"
    cp $BUILD/preload/libheapwise-preload.so "$copy/preload/"
    cp $BUILD/replay/heapwise-replayer "$copy/replay/"
    ln -s cli/heapwise "$copy/heapwise"
    chmod 755 "$copy"
    export HEAPWISE="$copy/heapwise"
fi
mkdir -p $BUILD/logs

passed=0 failed=0 skipped=0
for suite in $suites; do
    log=$BUILD/logs/$suite.log
    "suite_$suite" >"$log" 2>&1 </dev/null
    ok=$(grep -c '^ok ' "$log")
    not_ok=$(grep -c '^not ok ' "$log")
    skip=$(grep -c '^skip ' "$log")
    echo "$suite: $ok passed, $not_ok failed, $skip skipped"
    passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
    grep '^skip ' "$log" | sed 's/^/  /'
    [ "$not_ok" -eq 0 ] || sed -n '/^not ok /,/^\(ok\|skip\) /{/^\(ok\|skip\) /!p}' "$log" | head -n 200 | sed 's/^/  /'
done
[ $skipped -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
