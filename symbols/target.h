/* SPDX-License-Identifier: MIT */
/* What kind of file a command is, before it is run: can the shim be loaded into it at all?
 *
 * Only reads; follows `#!` lines to the interpreter that will really run. */
#ifndef HEAPWISE_SYMBOLS_TARGET_H
#define HEAPWISE_SYMBOLS_TARGET_H

#include <stdbool.h>

enum target_kind {
    TARGET_OK,             /* dynamically linked x86-64 glibc program */
    TARGET_NOT_FOUND,      /* 127 */
    TARGET_NOT_EXECUTABLE, /* no x bit, a folder, or an empty file: 126 */
    TARGET_NO_FORMAT, /* neither ELF nor `#!`: a shell would run it as a script, exec does not: 126 */
    TARGET_STATIC,    /* no interpreter: LD_PRELOAD is not looked at: 126 */
    TARGET_SETUID, /* set-user-ID, set-group-ID or capabilities that would really change our rights */
    TARGET_OTHER_CLASS,     /* 32-bit or another machine */
    TARGET_OTHER_LIBC,      /* interpreter is not glibc's ld-linux-x86-64.so.2 (musl) */
    TARGET_BAD_INTERPRETER, /* `#!` or PT_INTERP names a file that is missing or cannot be run */
};

struct target {
    enum target_kind kind;
    bool defines_malloc;   /* TARGET_OK, but the executable has a malloc of its own */
    char path[4096];       /* file that execvp would take for `command`, when found */
    char executable[4096]; /* file that really runs: the interpreter of a script, else path */
    char detail[256];      /* what was seen: interpreter name, "32-bit i386", ... fit to be shown */
};

/* Look `command` up as execvp(3) does (PATH, "/") and inspect it. Always fills *target_out. */
void target_inspect(const char *command, struct target *target_out);

/* One line that says why this kind cannot be profiled, and one that says the way out (may be ""). */
const char *target_reason(enum target_kind kind);
const char *target_way_out(enum target_kind kind);

/* heapwise's exit status for it: 0 for TARGET_OK, 127 for TARGET_NOT_FOUND, else 126. */
int target_exit_status(enum target_kind kind);

#endif
