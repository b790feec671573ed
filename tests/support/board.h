/* SPDX-License-Identifier: MIT */
/* Where the checking shim (checked_shim.c) counts: a file beside it, SHIM.board, shared by every process of a
 * run, so that no death loses a count. tests/e2e/lib_checked.py makes it, zeroed, and reads it.
 *
 *     n_rows, rows[n_rows]          {name[32], value}
 *     n_texts, texts[BOARD_TEXTS]   the first stacks that differ, each ended by a zero byte */
#ifndef HEAPWISE_TESTS_BOARD_H
#define HEAPWISE_TESTS_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

#include "tests/support/second_opinion.h"

/* Every stack is counted in BOARD_BEGUN before it is taken, and in one of the rows before that one after it
 * was compared. */
enum board_row {
    BOARD_EQUAL = OPINION_EQUAL, /* one row for each opinion */
    BOARD_DIFFERENT = OPINION_DIFFERENT,
    BOARD_EARLY,     /* before libunwind could be loaded, */
    BOARD_FORBIDDEN, /* where a seccomp filter would kill the program for libunwind's system calls, */
    BOARD_FORKED, /* in a child forked amid a check, whose copy of libunwind is locked for good: */
    BOARD_BEGUN,  /* these three are compared with the C runtime's unwinder */
    BOARD_FRAMES,
    BOARD_SHARED,      /* frames of these that the stack before had, too: same pc, same sp */
    BOARD_INTERRUPTED, /* stacks with a signal's handler */
    BOARD_ALL_WAYS,    /* stacks taken by rules alone and by the runtime's unwinder alone, too */
    BOARD_ROWS,
};

enum { BOARD_TEXTS = 8, BOARD_TEXT_BYTES = 12000, BOARD_FILE_BYTES = 1 << 17 };

struct board {
    uint64_t n_rows;
    struct board_count {
        char name[32];
        _Atomic uint64_t value;
    } rows[BOARD_ROWS];
    _Atomic uint64_t n_texts;
    char texts[BOARD_TEXTS][BOARD_TEXT_BYTES];
};
_Static_assert(sizeof(struct board) <= BOARD_FILE_BYTES, "the file holds it");

/* Map SHIM.board and name its rows. NULL where it cannot be. Makes raw system calls only. */
struct board *board_open(const char *shim_path);

static inline void board_add(struct board *board, enum board_row row, uint64_t n)
{
    atomic_fetch_add_explicit(&board->rows[row].value, n, memory_order_relaxed);
}

/* Keep both stacks as text, if there is room: ours, taken the `way`, and pcs[0..n). No lock, no malloc. */
void board_tell(struct board *board, const char *way, const struct stack_claim *claim,
                const uintptr_t *pcs, size_t n);

#endif
