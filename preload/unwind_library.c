/* SPDX-License-Identifier: MIT */
/* The fallback: the C runtime's own unwinder, linked in statically, for DWARF expressions and unusual
 * registers. It starts from its own frame; the shim's frames are dropped. It goes as far as the first
 * frame that a signal interrupted; from there on every step is checked (cfi_follow).
 *
 * It is given its tables by us: its own search knows registered frames, behind a lock, and where it finds
 * nothing it looks whether the code at that address is the kernel's way out of a signal handler. A
 * program that jumped to nowhere and allocates in its SIGSEGV handler would die of that look. */
#include "preload/unwind.h"
#include "preload/unwind_step.h"

#include <stdbool.h>
#include <unwind.h>

#include "preload/cfi.h"

struct walk {
    const struct arch_frame *caller;
    uintptr_t *pcs;
    size_t cap;
    size_t n;
    bool reached_caller;
    bool cut;
    bool is_interrupted;            /* stopped at a frame that a signal interrupted: */
    struct cfi_registers registers; /* all known, the kernel saved them */
};

static void take_registers(struct walk *walk, struct _Unwind_Context *context, uintptr_t pc)
{
    for (int i = 0; i < CFI_PC; i++)
        walk->registers.values[i] =
            i == CFI_SP ? _Unwind_GetCFA(context) : _Unwind_GetGR(context, i);
    walk->registers.values[CFI_PC] = pc;
    walk->registers.known = (1u << CFI_REGISTERS) - 1;
    walk->registers.is_exact = true;
    walk->is_interrupted = true;
}

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
    if (is_exact) {
        take_registers(walk, context, pc);
        return _URC_END_OF_STACK;
    }
    walk->pcs[walk->n++] = pc;
    return _URC_NO_REASON;
}

/* The interrupted frame and those beyond, each step checked: libgcc would believe its table. */
static enum unwind_end follow(struct walk *walk)
{
    struct cfi_registers *const registers = &walk->registers;
    enum cfi_followed followed = CFI_FOLLOWED;
    while (followed == CFI_FOLLOWED) {
        if (walk->n == walk->cap)
            return UNWIND_CUT;
        walk->pcs[walk->n++] = registers->values[CFI_PC] + (registers->is_exact ? 1 : 0);
        followed = cfi_follow(registers, unwind_begin(registers->values[CFI_SP], 0).limit);
    }
    return followed == CFI_FOLLOWED_TO_END ? UNWIND_COMPLETE : UNWIND_NO_TABLE;
}

/* What the unwinder wants to know beside the table: libgcc, unwind-dw2-fde.h. */
struct dwarf_eh_bases {
    void *text, *data;
    void *function;
};
const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases_out)
    __attribute__((visibility("hidden")));

/* Tables for code that has none: the return address is undefined, so the stack ends. */
struct no_caller {
    struct {
        uint32_t n_bytes, id;
        uint8_t version, augmentation, code_align, data_align, return_register;
        uint8_t program[11];
    } cie;
    struct {
        uint32_t n_bytes, cie_distance;
        uint64_t start, n_code_bytes;
    } fde;
    uint32_t terminator;
};
static const struct no_caller no_caller = {
    .cie = {.n_bytes = 20,
            .version = 1,
            .code_align = 1,
            .data_align = 0x78, /* -8 */
            .return_register = 16,
            .program = {0x0c, 7, 8, /* CFA = rsp + 8 */ 0x07, 16 /* undefined */}},
    .fde = {.n_bytes = 20, .cie_distance = 28},
};
_Static_assert(offsetof(struct no_caller, fde.cie_distance) == 28, "counts back to the CIE");

/* Stands in for libgcc's function of this name, which is then not linked in. */
const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases_out)
{
    uintptr_t function = (uintptr_t)pc;
    const void *const fde = cfi_find_fde((uintptr_t)pc, &function);
    *bases_out = (struct dwarf_eh_bases){.function = (void *)function};
    return fde ? fde : &no_caller.fde;
}

static _Unwind_Reason_Code take_none(struct _Unwind_Context *context, void *argument)
{
    (void)context;
    (void)argument;
    return _URC_END_OF_STACK;
}

void unwind_library_prepare(void)
{
    _Unwind_Backtrace(take_none, NULL);
}

static bool has_no_table(uintptr_t return_address)
{
    return cfi_find(return_address - 1).kind == CFI_NO_TABLE;
}

size_t unwind_library(const struct arch_frame *caller, uintptr_t *pcs, size_t cap,
                      enum unwind_end *end_out)
{
    struct walk walk = {.caller = caller, .pcs = pcs, .cap = cap};
    _Unwind_Backtrace(take_frame, &walk);
    *end_out = walk.cut ? UNWIND_CUT : UNWIND_COMPLETE;
    if (walk.is_interrupted)
        *end_out = follow(&walk);
    else if (walk.n > 0 && !walk.cut && has_no_table(pcs[walk.n - 1]))
        *end_out = UNWIND_NO_TABLE;
    if (walk.n == 0 && cap > 0) {
        pcs[walk.n++] = caller->pc;
        *end_out = UNWIND_NO_TABLE;
    }
    return walk.n;
}
