/* SPDX-License-Identifier: MIT */
/* The fallback: the C runtime's own unwinder, linked in statically, for signal frames, DWARF
 * expressions and unusual registers. It finds tables through _dl_find_object(), so it takes no lock,
 * opens nothing and allocates nothing. It starts from its own frame; the shim's frames are dropped. */
#include "preload/unwind.h"

#include <stdbool.h>
#include <unwind.h>

struct walk {
    const struct arch_frame *caller;
    uintptr_t *pcs;
    size_t cap;
    size_t n;
    bool reached_caller;
    bool cut;
};

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *argument)
{
    struct walk *const walk = argument;
    int is_exact = 0; /* the pc of an interrupted instruction, not a return address */
    const uintptr_t pc = _Unwind_GetIPInfo(context, &is_exact);
    if (!walk->reached_caller)
        walk->reached_caller =
            pc == walk->caller->pc && _Unwind_GetCFA(context) >= walk->caller->sp;
    if (!walk->reached_caller)
        return _URC_NO_REASON;
    if (pc == 0)
        return _URC_END_OF_STACK;
    if (walk->n == walk->cap) {
        walk->cut = true;
        return _URC_END_OF_STACK;
    }
    walk->pcs[walk->n++] = pc + (is_exact ? 1 : 0);
    return _URC_NO_REASON;
}

size_t unwind_library(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                      enum unwind_end *end_out)
{
    struct walk walk = {.caller = caller, .pcs = pcs, .cap = cap};
    _Unwind_Backtrace(take_frame, &walk);
    *end_out = walk.cut ? UNWIND_CUT : UNWIND_COMPLETE;
    if (walk.n == 0 && cap > 0) {
        pcs[walk.n++] = caller->pc;
        *end_out = UNWIND_NO_TABLE;
    }
    return walk.n;
}
