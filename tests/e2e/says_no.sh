#!/bin/sh
# SPDX-License-Identifier: MIT
# What cannot be recorded or read is said in one line with the right status; nothing ends in silence.
#
#   says_no.sh [BUILD]     $HEAPWISE is the command under test, BUILD/heapwise without it
#
# A refusal is: the status asked for, nothing on stdout, `heapwise: WHAT: WHY` on stderr and at most one more
# line that says the way out, and no trace left behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
ROOT=$PWD
BUILD=$(realpath "${1:-build-test}")
HEAPWISE=$(realpath "${HEAPWISE:-$BUILD/heapwise}")
SHIM=$BUILD/preload/libheapwise-preload.so
export HEAPWISE
umask 022
WORK=$(mktemp -d) || exit 1
MOUNT=
trap '[ -z "$MOUNT" ] || umount "$MOUNT"; rm -rf "$WORK"' EXIT
chmod 755 "$WORK"
cd "$WORK" || exit 1

ok() { echo "ok says no: $1"; }
not_ok() {
    echo "not ok says no: $1: $2"
    sed 's/^/    /' err 2>/dev/null | head -n 5
}
skip() { echo "skip says no: $1: $2"; }

# message STATUS: what is wrong with the status and stderr of a refusal; nothing when all is right.
message() {
    [ "$status" -eq "$1" ] || { echo "status $status, not $1"; return; }
    [ -s err ] || { echo "nothing on stderr"; return; }
    head -n 1 err | grep -q '^heapwise: ..*: ..*' || { echo "first line is not WHAT: WHY"; return; }
    [ "$(wc -l <err)" -le 2 ] || { echo "more than two lines"; return; }
    [ "$(grep -vc '^heapwise: ' err)" -eq 0 ] || echo "a line does not begin with heapwise:"
}

# refused NAME STATUS WORDS COMMAND...: WORDS is a pattern that stderr must match.
refused() {
    name=$1 wanted=$2 words=$3
    shift 3
    rm -f ./*.hwt
    timeout 60 "$@" >out 2>err </dev/null
    status=$?
    fault=$(message "$wanted")
    [ -n "$fault" ] || grep -Eqi -- "$words" err || fault="does not say '$words'"
    [ -n "$fault" ] || [ ! -s out ] || fault="something on stdout"
    [ -n "$fault" ] || [ -z "$(ls ./*.hwt 2>/dev/null)" ] || fault="left a trace behind"
    if [ -z "$fault" ]; then ok "$name"; else not_ok "$name" "$fault"; fi
}

# Programs
printf 'int main(void) { return 0; }\n' >p.c
cat >own.c <<'EOF'
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static char heap[1 << 20];
static size_t used;
void *malloc(size_t n)
{
    char options[64];
    if (used == 0) readlink("/etc/malloc.conf", options, sizeof options); /* as jemalloc does */
    char *p = heap + used;
    used += (n + 15) & ~(size_t)15;
    return p;
}
void *realloc(void *p, size_t n) { return p ? p : malloc(n); }
void free(void *p) { if (p && ((char *)p < heap || (char *)p >= heap + sizeof heap)) abort(); }
int main(void)
{
    free(reallocarray(NULL, 5, 20));
    free(malloc(100));
    puts("still runs");
    return 7;
}
EOF
cat >fixed.c <<'EOF'
#include <stdlib.h>
void *(*volatile take)(size_t) = malloc;
void (*volatile give)(void *) = free;
int main(void) { give(take(100)); free(realloc(NULL, 50)); return 7; }
EOF
cc p.c -o dynamic && cc -static p.c -o static && cc -static-pie p.c -o static-pie && cc -fno-builtin own.c -o own &&
    cc -fno-builtin -fno-pie -no-pie fixed.c -o fixed ||
    { echo "not ok says no: programs: cannot be compiled"; exit 1; }

refused "static binary" 126 'static' "$HEAPWISE" run -- ./static
refused "static binary without run" 126 'static' "$HEAPWISE" ./static
refused "static pie" 126 'static' "$HEAPWISE" run -- ./static-pie
if cc -m32 p.c -o m32 2>/dev/null; then
    refused "32-bit program" 126 '32-bit' "$HEAPWISE" run -- ./m32
else
    skip "32-bit program" "no 32-bit compiler"
fi
# e_machine, bytes 18 and 19, becomes AArch64's 183.
cp dynamic foreign && printf '\267\000' | dd of=foreign bs=1 seek=18 conv=notrunc 2>/dev/null
refused "foreign program" 126 'AArch64' "$HEAPWISE" run -- ./foreign
if musl-gcc p.c -o musl 2>/dev/null; then
    refused "program for another libc" 126 'musl' "$HEAPWISE" run -- ./musl
else
    skip "program for another libc" "no musl-gcc"
fi
cc p.c -o no-loader -Wl,--dynamic-linker=/no/such/loader.so
refused "missing loader" 126 '/no/such/loader.so' "$HEAPWISE" run -- ./no-loader

printf 'echo hello\n' >plain && chmod +x plain
refused "script without shebang" 126 '#!' "$HEAPWISE" run -- ./plain
printf '#!/no/such/interpreter\n' >lost && chmod +x lost
refused "script of a missing interpreter" 126 '/no/such/interpreter' "$HEAPWISE" run -- ./lost
printf '#!/bin/sh\r\n' >dos && chmod +x dos
refused "script with carriage returns" 126 'carriage return' "$HEAPWISE" run -- ./dos
: >empty && chmod +x empty
refused "empty file" 126 'empty' "$HEAPWISE" run -- ./empty
refused "file without x bit" 126 'permission' "$HEAPWISE" run -- ./p.c
refused "folder" 126 'folder|directory' "$HEAPWISE" run -- "$WORK"
refused "missing command" 127 'not found' "$HEAPWISE" run -- no-such-command-here
refused "missing command without run" 127 'not found' "$HEAPWISE" no-such-command-here
refused "missing path" 127 'not found|no such file' "$HEAPWISE" run -- ./no/such/file
refused "empty command" 127 'not found' "$HEAPWISE" run -- ''
refused "control characters in a name" 127 'not found' "$HEAPWISE" run -- "$(printf 'a\033[31mb')"
if grep -q "$(printf '\033')" err; then not_ok "escape sequences" "reach the terminal"; else ok "escape sequences"; fi

if [ "$(id -u)" -eq 0 ]; then
    # Root gives up rights in a file of another user; a file of his own changes nothing.
    cp dynamic setuid && chown 12345 setuid && chmod 4755 setuid
    refused "set-user-ID program" 126 'set-user-ID|rights' "$HEAPWISE" run -- ./setuid
    cp dynamic setgid && chgrp 12345 setgid && chmod 2755 setgid
    refused "set-group-ID program" 126 'set-group-ID|rights' "$HEAPWISE" run -- ./setgid
    cp dynamic harmless && chmod 4755 harmless
    "$HEAPWISE" run -o t.hwt -- ./harmless >out 2>err && ok "root's own set-user-ID program runs" ||
        not_ok "root's own set-user-ID program runs" "status $?"
    rm -f t.hwt
else
    su=$(command -v su) && [ -u "$su" ] && refused "set-user-ID program" 126 'rights' "$HEAPWISE" run -- "$su" --version
fi

# Usage
refused "run without a command" 125 'command' "$HEAPWISE" run
refused "unknown option of run" 125 '--dept.*--depth' "$HEAPWISE" run --dept 3 -- true
refused "bad value of an option" 125 '--depth' "$HEAPWISE" run --depth many -- true
refused "trace on standard output" 125 "-o|standard output" "$HEAPWISE" run -o - -- true
refused "unknown option of report" 2 '--fromat.*--format' "$HEAPWISE" report --fromat json x.hwt
refused "unknown format" 2 'yaml' "$HEAPWISE" report --format yaml x.hwt
refused "report without a trace" 2 'trace' "$HEAPWISE" report
refused "unknown topic" 2 'leeks' "$HEAPWISE" explain leeks

# Installations that lack something
mkdir alone && cp "$(realpath "$HEAPWISE")" alone/heapwise
refused "no shim" 125 'libheapwise-preload.so: is not beside' alone/heapwise run -- true
if unshare --mount true 2>/dev/null; then
    refused "no /proc" 125 '/proc: is not mounted' \
        unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$HEAPWISE" run -- true'
else
    skip "no /proc" "needs root to hide it"
fi

# An executable with a malloc of its own runs, with one warning.
"$HEAPWISE" run -o t.hwt --quiet -- ./own >out 2>err
status=$?
if [ $status -ne 7 ] || [ "$(cat out)" != "still runs" ]; then
    not_ok "own malloc: the program runs" "status $status"
elif [ "$(grep -c '^heapwise: .*malloc' err)" -ne 1 ]; then
    not_ok "own malloc: one warning" "$(grep -c '^heapwise: .*malloc' err) lines"
else
    ok "own malloc: the program runs, with one warning"
fi
rm -f t.hwt

# One at a fixed address that takes malloc's address has a stub of that name, which is none of its own.
"$HEAPWISE" run -o t.hwt --quiet -- ./fixed >out 2>err
if [ $? -eq 7 ] && [ ! -s err ] && "$HEAPWISE" report --format json t.hwt | grep -q '"allocator":"[^"]*libc'; then
    ok "stub of malloc: it is the C library's"
else
    not_ok "stub of malloc: it is the C library's" "$("$HEAPWISE" report t.hwt 2>&1 | head -n 1)"
fi
rm -f t.hwt

# The shim without a session does nothing, and says who would.
if [ -f "$SHIM" ]; then
    LD_PRELOAD=$SHIM sh -c 'exit 3' >out 2>err
    status=$?
    if [ $status -ne 3 ]; then
        not_ok "bare preload" "status $status, not 3"
    elif [ "$(wc -l <err)" -ne 1 ] || ! grep -q '^heapwise: .*heapwise run' err; then
        not_ok "bare preload" "$(wc -l <err) lines, or none that names heapwise run"
    else
        ok "bare preload"
    fi
    LD_PRELOAD=$SHIM HEAPWISE_SESSION=/no/such/session ls p.c >out 2>err
    status=$?
    if [ $status -eq 0 ] && [ "$(cat out)" = p.c ]; then ok "preload with a stale session"; else
        not_ok "preload with a stale session" "status $status"; fi
else
    not_ok "bare preload" "no $SHIM"
fi

# Where the trace cannot be written the command is not run.
rm -f ran
refused "missing output folder" 125 'no such file' "$HEAPWISE" run -o no/such/t.hwt -- touch ran
refused "output is a folder" 125 'director|folder' "$HEAPWISE" run -o "$WORK" -- touch ran
refused "output path too long" 125 'too long' "$HEAPWISE" run -o "$(printf '%04100d/ran' 0 | tr 0 /)" -- touch ran
refused "output below a file" 125 'director|folder' "$HEAPWISE" run -o p.c/t.hwt -- touch ran
cp dynamic itself && ln -s itself by-link
refused "output is the program" 125 'program' "$HEAPWISE" run -o ./itself -- ./by-link
./itself && ok "the program is as it was" || not_ok "the program is as it was" "status $?"
refused "output is the program's standard output" 125 'standard output' \
    sh -c '"$HEAPWISE" run -o /dev/stdout -- touch ran >stdout; status=$?; [ ! -s stdout ] && exit $status'
refused "output is the program's standard input" 125 'standard input' \
    sh -c 'exec "$HEAPWISE" run -o p.c -- touch ran <p.c'
refused "output is the program's standard error" 125 'standard error' "$HEAPWISE" run -o err -- touch ran
mkdir locked && chmod 555 locked
if [ "$(id -u)" -ne 0 ]; then
    refused "unwritable output folder" 125 'permission' "$HEAPWISE" run -o locked/t.hwt -- touch ran
elif setpriv --reuid=65534 --regid=65534 --clear-groups "$HEAPWISE" --version >out 2>err; then
    refused "unwritable output folder" 125 'permission' \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$HEAPWISE" run -o locked/t.hwt -- touch ran
    refused "no process left" 125 'temporarily unavailable' setpriv --reuid=65534 --regid=65534 --clear-groups \
        bash -c 'ulimit -u 1; exec "$HEAPWISE" run -o /dev/null -- touch ran'
    (cd locked && refused "unwritable current folder" 125 'permission' \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$HEAPWISE" run -- touch ran) 2>/dev/null
else
    skip "unwritable output folder" "another user cannot run $HEAPWISE"
fi
if [ -e ran ]; then not_ok "refused output" "the command was run"; else ok "refused output: the command was not run"; fi

# A command that writes much into the trace and prints when it is done.
cat >busy.c <<'EOF'
#include <stdio.h>
#include <stdlib.h>
static unsigned state = 1;
static unsigned next(void) { return state = state * 1664525u + 1013904223u; }
int main(void)
{
    void *kept[4096] = {0};
    for (int i = 0; i < 1000000; i++) {
        unsigned k = next() >> 20;
        free(kept[k]);
        kept[k] = malloc(next() >> 20);
    }
    puts("done");
    return 9;
}
EOF
cc -O1 -fno-builtin busy.c -o busy

# stopped NAME TRACE: the program ended as ever, its trace can be read and says that it stopped.
stopped() {
    if [ "$status" -ne 9 ] || [ "$(cat out)" != "done" ]; then
        not_ok "$1: the program goes on" "status $status"
    elif ! grep -q '^heapwise: ..*: ..*' err; then
        not_ok "$1: it is said" "nothing on stderr"
    elif ! timeout 60 "$HEAPWISE" report --format json "$2" >report.json 2>err; then
        not_ok "$1: the trace can be read" "$(head -n 1 err)"
    elif ! python3 -c 'import json, sys
found = json.load(open("report.json"))
sys.exit(not (found["totals"]["alloc_count"] > 0))'; then
        not_ok "$1: the trace holds what came before" "no allocations"
    elif ! { "$HEAPWISE" report "$2"; cat report.json; } 2>&1 | grep -Eqi 'stopped|truncated": true'; then
        not_ok "$1: the report says so" "neither stopped nor truncated"
    else
        ok "$1"
    fi
}
timeout 100 "$HEAPWISE" run --quiet --max-size 512K -o t.hwt -- ./busy >out 2>err
status=$?
stopped "size limit" t.hwt
if [ "$(stat -c %s t.hwt 2>/dev/null || echo 0)" -le 524288 ]; then ok "size limit is kept"; else
    not_ok "size limit is kept" "$(stat -c %s t.hwt) bytes"; fi
timeout 100 "$HEAPWISE" run --quiet --max-size 64K -o t3.hwt -- ./busy >out 2>err
status=$?
stopped "smallest size limit" t3.hwt
(ulimit -f 2048 && exec timeout 100 "$HEAPWISE" run --quiet -o t2.hwt -- ./busy) >out 2>err
status=$?
stopped "file size limit" t2.hwt
mkdir small
if mount -t tmpfs -o size=256k none small 2>/dev/null; then
    MOUNT=$WORK/small
    timeout 100 "$HEAPWISE" run --quiet -o small/t.hwt -- ./busy >out 2>err
    status=$?
    stopped "full disk" small/t.hwt
    head -c 1000000 /dev/zero >small/fill 2>/dev/null
    rm -f ran
    timeout 60 "$HEAPWISE" run -o small/none.hwt -- sh -c 'touch ran; exit 4' >out 2>err
    status=$?
    case $status-$([ -e ran ] && echo ran) in # refused, or run and said
    125- | 4-ran) fault=$(message $status) ;;
    *) fault="status $status" ;;
    esac
    if [ -z "$fault" ]; then ok "disk full from the start"; else not_ok "disk full from the start" "$fault"; fi
    rm -f small/fill
    "$HEAPWISE" report --format json t.hwt >/dev/full 2>err
    status=$?
    fault=$(message 2)
    if [ -z "$fault" ]; then ok "report to a full disk"; else not_ok "report to a full disk" "$fault"; fi
    umount small && MOUNT=
else
    skip "full disk" "cannot mount a small tmpfs"
fi

# Traces that are none
refused "missing trace" 2 'no such file' "$HEAPWISE" report none.hwt
refused "trace is a folder" 2 'director|folder' "$HEAPWISE" report "$WORK"
: >empty.trace
refused "empty trace" 2 'empty' "$HEAPWISE" report empty.trace
refused "empty standard input" 2 'empty' "$HEAPWISE" report -
refused "program as a trace" 2 'not a|no ' "$HEAPWISE" report dynamic
refused "text as a trace" 2 'not a|no ' "$HEAPWISE" report p.c
refused "random bytes as a trace" 2 'not a|no ' "$HEAPWISE" report "$ROOT/tests/golden/broken/noise"
refused "newer trace" 2 'newer|version' "$HEAPWISE" report "$ROOT/tests/golden/broken/newer"
refused "empty trace to dump" 2 'empty' "$HEAPWISE" dump empty.trace
refused "newer trace to dump" 2 'newer|version' "$HEAPWISE" dump "$ROOT/tests/golden/broken/newer"

# A small real trace, cut at every byte and damaged at every byte.
"$HEAPWISE" run --quiet --symbols later -o whole.trace -- ls . >out 2>err
python3 - whole.trace <<'EOF'
import json, os, subprocess, sys

command = os.environ["HEAPWISE"]
whole = open(sys.argv[1], "rb").read()


def answer(data):
    """What is wrong with the answer to these bytes, or None; and the report, if there is one."""
    try:
        done = subprocess.run([command, "report", "--format", "json", "-"], input=data, capture_output=True,
                              timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return "hangs", None
    lines = done.stderr.decode(errors="replace").splitlines()
    if done.returncode == 0:
        return None, json.loads(done.stdout)
    if done.returncode != 2:
        return f"status {done.returncode} {lines[:1]}", None
    if done.stdout or not 1 <= len(lines) <= 2 or lines[0].count(": ") < 2:
        return f"not one line of error: {lines[:2]}", None
    return None, None


def verdict(name, faults):
    print(f"not ok says no: {name}: {faults[0]} (and {len(faults) - 1} more)" if faults else f"ok says no: {name}")


fault, found = answer(whole)
verdict("a whole trace is not truncated", [fault] if fault else [] if not found["run"]["truncated"] else ["it is"])
stride = 1 + len(whole) // 6000
cuts, readable = [], 0
for length in range(0, len(whole), stride):
    fault, found = answer(whole[:length])
    readable += found is not None
    if fault or (found is not None and not found["run"]["truncated"]):
        cuts.append(f"at byte {length}: {fault or 'not said to be truncated'}")
verdict(f"a trace cut at every byte (step {stride} of {len(whole)}, {readable} readable)", cuts)
damage = []
for at in range(0, len(whole), 1 + len(whole) // 1500):
    fault, found = answer(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])
    if fault:
        damage.append(f"at byte {at}: {fault}")
verdict("a trace damaged at every place", damage)
EOF
