/* SPDX-License-Identifier: MIT */
/* What libunwind says of one stack, asked step by step and never further than it may be asked.
 *
 * unw_step(3) alone: unw_backtrace(3) takes a shortcut that remembers frames of unloaded libraries. */
#ifndef HEAPWISE_TESTS_SECOND_OPINION_H
#define HEAPWISE_TESTS_SECOND_OPINION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "tests/support/libunwind.h"
#include "trace/trace_format.h"

/* How two stacks compare. All but the last: every frame of ours is libunwind's, and ... */
enum opinion {
    OPINION_EQUAL, /* they end together */
    OPINION_CUT,   /* ours was cut at the depth limit, where libunwind's is not asked for more */
    OPINION_START_CODE, /* ours ends at code without a table in a known module; libunwind knows none, either */
    OPINION_NO_TABLE, /* the same at code in no module, made at run time */
    OPINION_INEXACT, /* ends may differ: a signal interrupted a realigned frame in instructions for which
                           its table is not exact; libunwind, which believes it, may crash beyond */
    OPINION_DIFFERENT,
};

enum { OPINION_DEPTH = TRACE_MAX_DEPTH + 1 };

struct second_opinion {
    enum opinion opinion;
    bool is_interrupted; /* a signal's handler is on the stack: libunwind gives the address of the
                            interrupted instruction, ours is one more, so that "less one" finds it */
    size_t n;            /* of theirs, as far as it was asked for */
    uintptr_t pcs[OPINION_DEPTH]; /* theirs */
};

/* A stack as the shim took it. */
struct stack_claim {
    const struct arch_frame *caller; /* its innermost frame */
    const uintptr_t *pcs;            /* [0..n), innermost first */
    size_t n;
    bool is_cut; /* it ended at the depth limit */
};

/* Compare with the stack that lies outwards of `context`, from the frame claim->caller on. May be executed
 * on another stack than the context's. */
void second_opinion_of(const struct libunwind *library, unw_context_t *context,
                       const struct stack_claim *claim, struct second_opinion *opinion_out);

#endif
