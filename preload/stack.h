/* SPDX-License-Identifier: MIT */
/* The last stack of a lane: what it is called, and everything needed to see that it is still there.
 *
 * Frames are kept outermost first, so that a stack that differs only at its inner end shares its
 * beginning. Frame i was reached from frame i + 1 by reading two words of the stack: the return
 * address just below sp[i], and the saved rbp at bp_slot[i + 1], if it was saved there and matters.
 * These words stand in a list of their own, so that comparing them is one short loop. */
#ifndef HEAPWISE_PRELOAD_STACK_H
#define HEAPWISE_PRELOAD_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/arch_x86_64.h"
#include "trace/trace_format.h"

/* How a walk ended. */
enum unwind_end {
    UNWIND_COMPLETE, /* reached the outermost frame */
    UNWIND_CUT,      /* more frames than `cap` */
    UNWIND_NO_TABLE, /* a frame that no unwind table covers: run-time generated code */
    UNWIND_UNUSUAL,  /* a rule that the fast way does not follow */
};

struct stack {
    size_t n;            /* frames */
    size_t n_kept;       /* n, or 0 when this stack must not be compared with the next one: it was
                               cut at the depth limit, or found by the fallback */
    uint32_t id;         /* its stack id, 0 while not yet known */
    enum unwind_end end; /* of the outermost frame */
    uint32_t generation; /* of the module list when it was walked */
    /* The words that lead from frame to frame, the outermost first. */
    struct stack_word {
        const uintptr_t *at;
        uintptr_t value;
    } words[2 * TRACE_MAX_DEPTH];
    struct stack_frame {
        struct arch_frame at;     /* pc, sp, bp while this frame was the innermost */
        const uintptr_t *bp_slot; /* where its caller's rbp is saved, NULL: it is still in rbp */
        bool cfa_from_bp;         /* its own CFA counts from rbp */
        bool bp_matters;          /* rbp here decides how an outer frame is found */
        uint16_t n_words;         /* words[0..n_words) lead from here to the outermost frame */
        uint64_t hash;            /* of the return addresses from the outermost to this one */
    } frames[TRACE_MAX_DEPTH];
    struct stack_frame fresh[TRACE_MAX_DEPTH]; /* scratch: frames being walked, innermost first */
};

/* One more return address on top of a path. The next address meets a hash whose every bit depends on
 * the lower bits before; 64 bits tell paths apart, with the last address kept beside them. Few
 * instructions that wait for each other: a walk waits for this chain. */
static inline uint64_t stack_hash(uint64_t outer, uintptr_t pc)
{
    const uint64_t value = (outer ^ pc) * UINT64_C(0x9fb21c651e98df25);
    return value ^ value >> 32;
}

#endif
